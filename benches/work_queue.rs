//! An actor that pulls from its work queue, beside a plain task that receives from the same channel.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;

use actix::{Actor, Context, System};
use baton_actors::work_queue::{Pull, pull};
use baton_world::clock::runtime;
use baton_world::{ClockKind, Stopwatch};
use measure::{Contestant, compete, heading, table};
use std::task::Waker;
use tokio::sync::{mpsc, oneshot};

const ABOUT: &str = "\
Producers are tasks of the same thread, as lanes are, and wait when the queue of 1,024 is full. The actor pulls as the
product's actors do (`work_queue::Pull`); *raw channel* is a task that receives from the same tokio channel.";

const ITEMS: usize = 1_000_000;
const QUEUE: usize = 1_024;

/// One piece of work, of the size of a small message.
type Item = [usize; 4];

fn main() {
    heading("Work queue", "cargo bench --bench work_queue", ABOUT);
    table("items/s");
    for producers in [1, 8] {
        let what = format!("producers: {producers}");
        let pulled = move || measured(producers, |queue, done| drop(Puller::new(queue, done).start()));
        let raw = move || {
            measured(producers, |queue, done| {
                actix_rt::spawn(receive(queue, done));
            })
        };
        compete(&what, 11, vec![Contestant::new("actor", pulled), Contestant::new("raw channel", raw)]);
    }
}

fn measured(producers: usize, consume: impl FnOnce(mpsc::Receiver<Item>, oneshot::Sender<()>)) -> f64 {
    let system = System::with_tokio_rt(|| runtime(ClockKind::Real).expect("a runtime can be built"));
    system.block_on(async {
        let (work, queue) = mpsc::channel(QUEUE);
        let (done, end) = oneshot::channel();
        consume(queue, done);
        let watch = Stopwatch::start();
        (0..producers).for_each(|producer| drop(actix_rt::spawn(produce(work.clone(), producer, ITEMS / producers))));
        end.await.expect("the consumer says when it is done");
        ITEMS as f64 / watch.seconds()
    })
}

async fn produce(work: mpsc::Sender<Item>, producer: usize, items: usize) {
    for item in 0..items {
        work.send([producer, item, 0, 0]).await.expect("the consumer lives");
    }
}

async fn receive(mut queue: mpsc::Receiver<Item>, done: oneshot::Sender<()>) {
    let mut tally = Tally { seen: 0, done: Some(done) };
    while let Some(item) = queue.recv().await {
        tally.take(&item);
    }
}

/// What either does with an item.
struct Tally {
    seen: usize,
    done: Option<oneshot::Sender<()>>,
}

impl Tally {
    fn take(&mut self, item: &Item) {
        std::hint::black_box(item);
        self.seen += 1;
        if self.seen == ITEMS {
            let done = self.done.take().expect("the last item comes once");
            done.send(()).expect("somebody waits for the last item");
        }
    }
}

struct Puller {
    queue: mpsc::Receiver<Item>,
    parked: Option<Waker>,
    tally: Tally,
}

impl Puller {
    fn new(queue: mpsc::Receiver<Item>, done: oneshot::Sender<()>) -> Puller {
        Puller { queue, parked: None, tally: Tally { seen: 0, done: Some(done) } }
    }
}

impl Actor for Puller {
    type Context = Context<Puller>;

    fn started(&mut self, ctx: &mut Context<Puller>) {
        pull(ctx);
    }
}

impl Pull for Puller {
    type Item = Item;

    fn has_slot(&self) -> bool {
        true
    }

    fn queue(&mut self) -> &mut mpsc::Receiver<Item> {
        &mut self.queue
    }

    fn parked(&mut self) -> &mut Option<Waker> {
        &mut self.parked
    }

    fn begin(&mut self, item: Item, _: &mut Context<Puller>) {
        self.tally.take(&item);
    }
}
