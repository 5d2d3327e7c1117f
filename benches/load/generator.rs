//! The agents: a closed loop on one thread, each with one connection and one request under way. Every answer is
//! judged; the first wrong one ends the cell. Never counts what happens while warming up.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Buf as _, BytesMut};
use gatewright_benches::content::{FIRST_ID, Question, Request};
use gatewright_benches::http1::{Malformed, first_message};
use hdrhistogram::Histogram;
use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::judge::{Expected, Judge, Wrong};
use crate::process::{Process, Usage};

/// One cell: who is asked what by how many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) process: Option<&'a Process>,
    pub(crate) question: &'a Question,
    pub(crate) path: &'a str,
    pub(crate) tokens: &'a [String],
    pub(crate) expected: &'a Expected,
    pub(crate) connections: u16,
    pub(crate) measured: Duration,
}

/// What a cell showed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    /// Answers within the measured time, all of them right.
    pub(crate) requests: u64,
    /// The measured time.
    pub(crate) elapsed: Duration,
    /// The time that half of the requests stayed under.
    pub(crate) p50: Duration,
    /// The time that 99 of 100 requests stayed under.
    pub(crate) p99: Duration,
    /// What the contender's process cost; absent when there is none.
    pub(crate) cost: Option<Cost>,
}

/// What the contender's process used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Processor time, user and system, of all threads.
    pub(crate) cpu: Duration,
    /// Bytes of resident memory at the end.
    pub(crate) resident: u64,
}

/// Why an agent gave up.
#[derive(Debug, Error)]
pub(crate) enum Broken {
    #[error("the connection broke: {0}")]
    Connection(#[from] io::Error),
    #[error("the connection was closed in the middle of an answer")]
    Closed,
    #[error("unreadable answer: {0}")]
    Malformed(#[from] Malformed),
    #[error("wrong answer: {0}")]
    Wrong(#[from] Wrong),
}

/// Why a cell is void.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Agent(#[from] Broken),
    #[error("no answer in the measured time")]
    Silent,
    #[error("answers still missing {STALL:?} after the measured time")]
    Stalled,
    #[error("the generator failed: {0}")]
    Generator(Box<dyn Error>),
}

/// Runs one cell.
pub(crate) async fn measure(cell: Cell<'_>) -> Result<Sample, Failure> {
    let course = Arc::new(Course::new()?);
    let mut agents = send_agents(&cell, &course);
    watch(&mut agents, WARM_UP).await?;

    let before = cell.usage()?;
    course.enter(MEASURING);
    let started = Instant::now();
    watch(&mut agents, cell.measured).await?;
    course.enter(OVER);
    let elapsed = started.elapsed();
    let cost = cell.cost(&before)?;
    timeout(STALL, drain(agents))
        .await
        .map_err(|_| Failure::Stalled)??;

    let times = course.times.lock().unwrap_or_else(PoisonError::into_inner);
    if times.is_empty() {
        return Err(Failure::Silent);
    }
    let quantile = |quantile| Duration::from_nanos(times.value_at_quantile(quantile));
    Ok(Sample {
        requests: times.len(),
        elapsed,
        p50: quantile(0.5),
        p99: quantile(0.99),
        cost,
    })
}

impl Cell<'_> {
    fn usage(&self) -> Result<Usage, Failure> {
        self.process
            .map_or(Ok(Usage::default()), Process::usage)
            .map_err(Failure::Generator)
    }

    fn cost(&self, before: &Usage) -> Result<Option<Cost>, Failure> {
        let cpu = self.usage()?.since(before);
        let Some(process) = self.process else {
            return Ok(None);
        };
        let resident = process.resident().map_err(Failure::Generator)?;
        Ok(Some(Cost { cpu, resident }))
    }
}

fn send_agents(cell: &Cell<'_>, course: &Arc<Course>) -> JoinSet<Result<(), Broken>> {
    let mut agents = JoinSet::new();
    for (_, token) in (0..cell.connections).zip(cell.tokens.iter().cycle()) {
        let request = cell
            .question
            .request(&cell.address.to_string(), cell.path, token);
        let judge = Judge::new(cell.expected.clone());
        let agent = Agent {
            address: cell.address,
            request,
            judge,
            course: Arc::clone(course),
        };
        agents.spawn(agent.run());
    }
    agents
}

/// Lets the agents work for `time`. None of them stops before its course is over, unless it failed.
async fn watch(agents: &mut JoinSet<Result<(), Broken>>, time: Duration) -> Result<(), Failure> {
    tokio::select! {
        stopped = agents.join_next() => match stopped {
            Some(Ok(stopped)) => Err(stopped.err().map_or(Failure::Silent, Failure::Agent)),
            Some(Err(error)) => Err(Failure::Generator(error.into())),
            None => Err(Failure::Silent),
        },
        () = sleep(time) => Ok(()),
    }
}

async fn drain(mut agents: JoinSet<Result<(), Broken>>) -> Result<(), Failure> {
    while let Some(stopped) = agents.join_next().await {
        stopped.map_err(|error| Failure::Generator(error.into()))??;
    }
    Ok(())
}

/// What all agents of a cell share.
struct Course {
    stage: AtomicU8,
    next: AtomicU64,
    times: Mutex<Histogram<u64>>,
}

impl Course {
    fn new() -> Result<Self, Failure> {
        let times = Histogram::new_with_bounds(1, LONGEST, 3)
            .map_err(|error| Failure::Generator(error.into()))?;
        Ok(Self {
            stage: AtomicU8::new(WARMING),
            next: AtomicU64::new(FIRST_ID),
            times: Mutex::new(times),
        })
    }

    fn enter(&self, stage: u8) {
        self.stage.store(stage, Ordering::Relaxed);
    }

    fn is(&self, stage: u8) -> bool {
        self.stage.load(Ordering::Relaxed) == stage
    }

    fn count(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(LONGEST);
        self.times
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .saturating_record(nanoseconds);
    }
}

struct Agent {
    address: SocketAddr,
    request: Request,
    judge: Judge,
    course: Arc<Course>,
}

impl Agent {
    async fn run(mut self) -> Result<(), Broken> {
        let mut connection = Connection::open(self.address).await?;
        while !self.course.is(OVER) {
            let id = self.course.next.fetch_add(1, Ordering::Relaxed);
            let started = Instant::now();
            connection.send(&self.request, id).await?;
            let is_last = connection.receive(&mut self.judge, id).await?;
            if self.course.is(MEASURING) {
                self.course.count(started.elapsed());
            }
            if is_last {
                connection = Connection::open(self.address).await?;
            }
        }
        Ok(())
    }
}

struct Connection {
    stream: TcpStream,
    input: BytesMut,
    output: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            input: BytesMut::new(),
            output: Vec::new(),
        })
    }

    async fn send(&mut self, request: &Request, id: u64) -> io::Result<()> {
        self.output.clear();
        request.write(id, &mut self.output);
        self.stream.write_all(&self.output).await?;
        if !request.tail.is_empty() {
            self.stream.write_all(&request.tail).await?;
        }
        Ok(())
    }

    /// Whether the connection ends with this answer.
    async fn receive(&mut self, judge: &mut Judge, id: u64) -> Result<bool, Broken> {
        loop {
            self.input.reserve(READ);
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(Broken::Closed);
            }
            if let Some(message) = first_message(&self.input)? {
                judge.judge(&message, id)?;
                let (length, is_last) = (message.length, message.is_last);
                self.input.advance(length);
                return Ok(is_last);
            }
        }
    }
}

const WARMING: u8 = 0;
const MEASURING: u8 = 1;
const OVER: u8 = 2;
const READ: usize = 64 * 1024;
/// In nanoseconds: one minute.
const LONGEST: u64 = 60_000_000_000;
const WARM_UP: Duration = Duration::from_millis(500);
const STALL: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
