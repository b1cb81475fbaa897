//! The server's settings that would break a registry's promises, found before the first operation.

use std::collections::HashMap;

/// What a server says of itself (`INFO`), and how often it writes its log to the disk, where that may be asked.
#[derive(Debug)]
pub(crate) struct Settings<'a> {
    info: HashMap<&'a str, &'a str>,
    appendfsync: Option<&'a str>,
}

impl<'a> Settings<'a> {
    pub(crate) fn new(info: &'a str, appendfsync: Option<&'a str>) -> Self {
        let info = info.lines().filter_map(|line| line.trim_end().split_once(':')).collect();
        Self { info, appendfsync }
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.info.get(name) == Some(&value)
    }

    /// What must be changed, each in a sentence.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let version = self.info.get("redis_version").copied().unwrap_or("unknown");
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        if major.is_none_or(|major| major < 7) {
            faults.push(format!("its version is {version}; use Redis 7.0, Valkey 7.2, or newer"));
        }
        if self.is("cluster_enabled", "1") {
            faults.push(
                "it is a node of a cluster, which redis:// does not follow; name a server of its own".into(),
            );
        }
        if self.is("role", "slave") {
            faults.push("it is a replica; name the primary".into());
        }
        if self.evicts() {
            let policy = self.info.get("maxmemory_policy").unwrap_or(&"unknown");
            faults.push(format!(
                "with maxmemory-policy {policy} it forgets sessions and revocations when memory is short; set \
                 `maxmemory-policy noeviction`"
            ));
        }
        if !self.is("aof_enabled", "1") {
            faults.push(
                "it does not log writes, so a restart brings ended sessions back, or logs everyone out; set \
                 `appendonly yes`"
                    .into(),
            );
        }
        faults
    }

    fn evicts(&self) -> bool {
        !self.is("maxmemory", "0") && !self.is("maxmemory_policy", "noeviction")
    }

    /// What should be changed, or known.
    pub(crate) fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        match self.appendfsync {
            Some("always") => {}
            Some(other) => doubts.push(format!(
                "with appendfsync {other}, a crash may take back the last seconds: sessions that had ended in them would \
                 be alive again; set `appendfsync always`"
            )),
            None => doubts.push(
                "it does not tell how often it writes to the disk: allow the command CONFIG GET, or see that \
                 appendfsync is `always`"
                    .into(),
            ),
        }
        if self.is("maxmemory", "0") && !self.is("maxmemory_policy", "noeviction") {
            doubts.push(
                "it has no maxmemory, but a policy that would evict: set `maxmemory-policy noeviction`"
                    .into(),
            );
        }
        doubts
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    const GOOD: &str = "redis_version:7.0.15\r\nrole:master\r\ncluster_enabled:0\r\nmaxmemory:1000\r\n\
                        maxmemory_policy:noeviction\r\naof_enabled:1\r\n";

    #[test]
    fn a_server_that_keeps_everything_is_fit() {
        let settings = Settings::new(GOOD, Some("always"));
        assert!(settings.faults().is_empty() && settings.doubts().is_empty());
    }

    #[test]
    fn each_fault_is_told_with_what_to_change() {
        for (setting, bad, told) in [
            ("redis_version:7.0.15", "redis_version:6.2.6", "Redis 7.0"),
            ("role:master", "role:slave", "primary"),
            ("cluster_enabled:0", "cluster_enabled:1", "server of its own"),
            ("maxmemory_policy:noeviction", "maxmemory_policy:allkeys-lru", "`maxmemory-policy noeviction`"),
            ("aof_enabled:1", "aof_enabled:0", "`appendonly yes`"),
        ] {
            let info = GOOD.replace(setting, bad);
            let faults = Settings::new(&info, Some("always")).faults();
            assert!(faults.len() == 1 && faults[0].contains(told), "{bad}: {faults:?}");
        }
    }

    #[test]
    fn a_second_that_may_be_lost_is_a_doubt() {
        for appendfsync in [Some("everysec"), None] {
            assert_eq!(Settings::new(GOOD, appendfsync).doubts().len(), 1, "{appendfsync:?}");
        }
        let unbounded = GOOD.replace("maxmemory:1000", "maxmemory:0").replace("noeviction", "allkeys-lru");
        let settings = Settings::new(&unbounded, Some("always"));
        assert_eq!((settings.faults().len(), settings.doubts().len()), (0, 1));
    }
}
