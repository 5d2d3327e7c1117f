//! `gatewright audit tail`: records as they are written, over the ends of segments. Never shows text of others as it came.

use std::time::Duration;

use super::filter::{Asked, Filter, Kinds};
use super::query::{Form, form};
use super::record::Out;
use super::{Place, Record};
use crate::audit::read::{Follower, ReadError};
use crate::cli::{FAILED, complain_of};
use crate::config::Colour;
use crate::model::{Clock, SystemClock};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Tail {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    asked: Asked,
    /// How many of the last records come first.
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 10)]
    last: usize,
    /// How they are written: a line for a reader, or the record itself.
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,
}

pub(super) fn run(tail: Tail, colour: Colour) -> u8 {
    let filter = Filter::new(tail.asked, SystemClock.now(), Kinds::Decided);
    let opened = tail
        .place
        .directories(colour)
        .map(|directories| Follower::from_end(directories, tail.last));
    let shown = match opened {
        Err(code) => return code,
        Ok(Err(error)) => Err(error),
        Ok(Ok((follower, last))) => {
            let mut shown = Shown {
                filter,
                output: tail.output,
                out: Out::new(),
            };
            // Nobody reads any more: that is the usual end.
            if last.iter().all(|line| shown.line(line)) {
                shown.follow(follower)
            } else {
                Ok(())
            }
        }
    };
    match shown {
        Ok(()) => 0,
        Err(error) => {
            complain_of(&error);
            FAILED
        }
    }
}

#[derive(Debug)]
struct Shown {
    filter: Filter,
    output: Form,
    out: Out,
}

impl Shown {
    /// Until nobody reads any more.
    fn follow(&mut self, mut follower: Follower) -> Result<(), ReadError> {
        let mut line = Vec::new();
        while self.out.flush() {
            while follower.next(&mut line)? {
                if !self.line(&line) {
                    return Ok(());
                }
            }
            if !self.out.flush() {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Whether somebody still reads.
    fn line(&mut self, line: &[u8]) -> bool {
        let record = Record::read(line);
        let accepted = record
            .filter(|record| self.filter.is_in_time(line) && self.filter.accepts(record))
            .and_then(|record| form(self.output, line, &record, SystemClock.now()));
        accepted.is_none_or(|shown| self.out.line(&shown))
    }
}

/// Records come from another process: nothing here could be woken.
const PAUSE: Duration = Duration::from_millis(200);
