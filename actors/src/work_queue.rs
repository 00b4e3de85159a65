//! The work lane of an actor: a bounded queue that the actor pulls from when it has a free slot.
//!
//! An actix mailbox has no working bound and no priorities, so work never goes there: it waits here, and control
//! messages never wait behind it. A full queue is an answer to the sender, not a wait.

use actix::fut::ActorFuture;
use actix::{Actor, AsyncContext, Context};
use std::pin::Pin;
use std::task;
use tokio::sync::mpsc;

/// An actor that pulls work.
pub trait Pull: Actor<Context = Context<Self>> {
    /// One piece of work.
    type Item: 'static;
    /// Whether the actor can begin another piece now. When it becomes true, [`unpark`] is to be called.
    fn has_slot(&self) -> bool;
    /// The receiving end. It lives in the actor, so that what waits survives a restart.
    fn queue(&mut self) -> &mut mpsc::Receiver<Self::Item>;
    /// Where the pulling waits while there is no free slot.
    fn parked(&mut self) -> &mut Option<task::Waker>;
    /// Begins a piece.
    fn begin(&mut self, item: Self::Item, ctx: &mut Context<Self>);
}

/// Makes `ctx`'s actor pull for as long as it lives. To be called when it starts and when it restarts.
pub fn pull<A: Pull + Unpin>(ctx: &mut Context<A>) {
    ctx.spawn(Pulling);
}

/// Lets the actor pull again if it has a free slot. To be called after whatever may have freed one.
pub fn unpark<A: Pull>(actor: &mut A) {
    if actor.has_slot()
        && let Some(waker) = actor.parked().take()
    {
        waker.wake();
    }
}

struct Pulling;

impl<A: Pull + Unpin> ActorFuture<A> for Pulling {
    type Output = ();

    fn poll(self: Pin<&mut Self>, actor: &mut A, ctx: &mut Context<A>, task: &mut task::Context<'_>) -> task::Poll<()> {
        while actor.has_slot() {
            match actor.queue().poll_recv(task) {
                task::Poll::Ready(Some(item)) => actor.begin(item, ctx),
                task::Poll::Ready(None) => return task::Poll::Ready(()),
                task::Poll::Pending => return task::Poll::Pending,
            }
        }
        *actor.parked() = Some(task.waker().clone());
        task::Poll::Pending
    }
}
