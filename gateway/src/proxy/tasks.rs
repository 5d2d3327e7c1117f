//! Which task is whose, and which tool made it. A task id is a name, never a credential: who did not make the task is
//! told what they would be told of one that never was.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::config::Limits;
use crate::model::{Digest, ServerName, UnixTime};
use crate::proxy::asker::Asker;
use crate::proxy::shelf::Shelf;

/// The owners of tasks.
#[derive(Default)]
pub struct Tasks(Mutex<Shelf<Task>>);

/// One task.
struct Task {
    maker: Digest,
    tool: Box<str>,
}

impl Tasks {
    /// Takes note that `asker` made the task `id` by calling `tool`. A task that is another's stays that.
    pub(crate) fn learn(
        &self,
        (server, id): (&ServerName, &str),
        asker: &Asker,
        tool: &str,
        (limits, now): (&Limits, UnixTime),
    ) {
        let key = key(server, id);
        let mut tasks = self.all();
        while tasks.take_idle(limits.task_idle, now).is_some() {}
        if tasks
            .look(&key)
            .is_some_and(|task| task.maker != asker.maker)
        {
            return;
        }
        drop(tasks.take(&key));
        while tasks.share(&asker.person) >= limits.tasks_per_principal as usize {
            drop(tasks.take_least_of(&asker.person));
        }
        while tasks.len() >= limits.tasks as usize {
            drop(tasks.take_least());
        }
        let task = Task {
            maker: asker.maker,
            tool: tool.into(),
        };
        tasks.put((key, asker.person), task, now);
    }

    /// The tool that made the task `id`, if it is the asker's. It is remembered for that much longer.
    pub(crate) fn tool_of(
        &self,
        (server, id): (&ServerName, &str),
        asker: &Asker,
        (idle, now): (Duration, UnixTime),
    ) -> Option<Box<str>> {
        let key = key(server, id);
        let mut tasks = self.all();
        if tasks.is_idle(&key, idle, now) {
            drop(tasks.take(&key));
        }
        if tasks.look(&key)?.maker != asker.maker {
            return None;
        }
        tasks.reach(&key, now).map(|task| task.tool.clone())
    }

    /// Nothing under this lock can fail half-way: what a panic elsewhere left behind is whole.
    fn all(&self) -> MutexGuard<'_, Shelf<Task>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(server: &ServerName, id: &str) -> Digest {
    Digest::of_framed(&[server.as_str().as_bytes(), id.as_bytes()])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Tasks;
    use crate::config::Limits;
    use crate::model::{Digest, ServerName, UnixTime};
    use crate::proxy::asker::Asker;

    fn asker(name: &str) -> Asker {
        let named = Digest::of(name.as_bytes());
        Asker {
            person: named,
            maker: named,
            owner: named,
            policy: named,
        }
    }

    fn limits() -> Limits {
        Limits {
            tasks: 3,
            tasks_per_principal: 2,
            task_idle: Duration::from_secs(60),
            ..Limits::default()
        }
    }

    fn learn(tasks: &Tasks, who: &str, id: &str, second: u64) {
        let server = ServerName::new("crm");
        let now = UnixTime::from_seconds(second);
        tasks.learn((&server, id), &asker(who), "search", (&limits(), now));
    }

    fn is_own(tasks: &Tasks, who: &str, id: &str, second: u64) -> bool {
        let server = ServerName::new("crm");
        let now = UnixTime::from_seconds(second);
        let tool = tasks.tool_of((&server, id), &asker(who), (limits().task_idle, now));
        assert!(tool.is_none() || tool.as_deref() == Some("search"));
        tool.is_some()
    }

    #[test]
    fn x14_a_task_is_its_makers_at_its_server_and_nobody_elses() {
        let tasks = Tasks::default();
        learn(&tasks, "alice", "t-1", 0);
        assert!(is_own(&tasks, "alice", "t-1", 0));
        assert!(!is_own(&tasks, "bob", "t-1", 0));
        assert!(!is_own(&tasks, "alice", "t-2", 0));
        let other = ServerName::new("wiki");
        let when = (limits().task_idle, UnixTime::from_seconds(0));
        assert_eq!(tasks.tool_of((&other, "t-1"), &asker("alice"), when), None);
    }

    #[test]
    fn x14_a_task_that_a_server_gives_to_two_stays_the_first_ones() {
        let tasks = Tasks::default();
        learn(&tasks, "alice", "t-1", 0);
        learn(&tasks, "bob", "t-1", 0);
        assert!(is_own(&tasks, "alice", "t-1", 0));
        assert!(!is_own(&tasks, "bob", "t-1", 0));
    }

    #[test]
    fn limit_tasks_forgets_the_least_used_past_the_bound() {
        let tasks = Tasks::default();
        for (who, id) in [("a", "1"), ("b", "2"), ("c", "3")] {
            learn(&tasks, who, id, 0);
        }
        assert!(is_own(&tasks, "a", "1", 0), "at the bound");
        learn(&tasks, "d", "4", 0);
        assert!(!is_own(&tasks, "b", "2", 0));
        for (who, id) in [("a", "1"), ("c", "3"), ("d", "4")] {
            assert!(is_own(&tasks, who, id, 0), "{who}");
        }
    }

    #[test]
    fn limit_tasks_per_principal_forgets_the_least_used_of_that_principal() {
        let tasks = Tasks::default();
        learn(&tasks, "bob", "b", 0);
        learn(&tasks, "alice", "1", 0);
        learn(&tasks, "alice", "2", 0);
        assert!(is_own(&tasks, "alice", "1", 0), "at the bound");
        learn(&tasks, "alice", "3", 0);
        assert!(!is_own(&tasks, "alice", "2", 0));
        assert!(is_own(&tasks, "alice", "1", 0) && is_own(&tasks, "alice", "3", 0));
        assert!(is_own(&tasks, "bob", "b", 0));
    }

    #[test]
    fn limit_task_idle_at_and_past_the_bound() {
        let tasks = Tasks::default();
        learn(&tasks, "alice", "t-1", 0);
        assert!(is_own(&tasks, "alice", "t-1", 59));
        assert!(is_own(&tasks, "alice", "t-1", 59 + 60));
        assert!(!is_own(&tasks, "alice", "t-1", 59 + 60 + 61));
        assert_eq!(tasks.all().len(), 0);
        learn(&tasks, "bob", "t-1", 200);
        assert!(is_own(&tasks, "bob", "t-1", 200), "free again");
    }
}
