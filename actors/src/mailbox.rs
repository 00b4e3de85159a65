//! What an actor accepts, declared in one table at the top of its file and checked by the compiler both ways.
//!
//! The mailbox is an actor's *control* lane: short, never blocked. Work waits in a [`crate::work_queue`].

/// Declares an actor's mailbox: a row per message, with the answer and one sentence.
///
/// A row implements [`actix::Message`] with that answer and asserts that the actor handles it, so a row without a
/// handler, a handler without a row and a wrong answer type all fail to compile. In a `guarded` table, whose answers
/// are all `()`, a row names the method instead, and the handler runs it through the actor's own `work`.
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
    (guarded $actor:ident { $($message:ty => $method:ident, $sentence:literal;)+ }) => {
        $crate::mailbox::mailbox!($actor { $($message => (), $sentence;)+ });
        $(
            impl actix::Handler<$message> for $actor {
                type Result = ();
                fn handle(&mut self, message: $message, ctx: &mut actix::Context<$actor>) {
                    self.work(ctx, |actor, ctx| actor.$method(message, ctx));
                }
            }
        )+
    };
}

pub(crate) use mailbox;
