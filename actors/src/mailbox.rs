//! What an actor accepts, declared in one table at the top of its file and checked by the compiler both ways.
//!
//! The mailbox is an actor's *control* lane: short, never blocked. Work waits in a [`crate::work_queue`].

/// Declares an actor's mailbox: a row per message, with the answer and one sentence.
///
/// A row implements [`actix::Message`] with that answer and asserts that the actor handles it, so a row without a
/// handler, a handler without a row and a wrong answer type all fail to compile.
macro_rules! mailbox {
    ($actor:ty { $($message:ty => $answer:ty, $sentence:literal;)+ }) => {
        $(
            impl actix::Message for $message {
                type Result = $answer;
            }
        )+
        const _: () = {
            const fn handles<A: actix::Actor + actix::Handler<M>, M: actix::Message>(_sentence: &str) {}
            $( handles::<$actor, $message>($sentence); )+
        };
    };
}

pub(crate) use mailbox;
