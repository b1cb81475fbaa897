//! The node of a cluster that has the domain's slot. Of nodes that disagree, the one that knows the later history of the
//! slot is right: another owner always has a larger configuration epoch.

use std::time::Duration;

use redis::{Value, cmd};
use tokio::sync::OnceCell;

use super::contact::{Contacts, next};
use super::sentinel::text;
use super::{Lost, Primary};
use crate::address::Host;
use crate::wire::Dial;

/// How long the others may take once the first has answered.
const OTHERS: Duration = Duration::from_millis(200);

/// The slot of a limit domain.
pub(crate) struct Slots {
    key: String,
    slot: OnceCell<u16>,
    /// Whether nodes are called by the names that they announce, which certificates are made out to.
    by_name: bool,
    nodes: Contacts,
}

/// What a node says of a slot's owner.
#[derive(Debug, PartialEq, Eq)]
struct Owner {
    epoch: u64,
    host: Host,
    replicas: Vec<Host>,
}

impl Slots {
    pub(crate) fn new(seeds: Vec<Host>, key: String, by_name: bool, dial: Dial, patience: Duration) -> Self {
        Self { key, slot: OnceCell::new(), by_name, nodes: Contacts::new(seeds, dial, patience) }
    }

    pub(crate) async fn primary(&self) -> Result<Primary, Lost> {
        let slot = *self.slot.get_or_try_init(|| self.ask_slot()).await?;
        let mut command = cmd("CLUSTER");
        command.arg("NODES");
        let commands = [command];
        let mut answers = self.nodes.ask(&commands);
        let (mut best, mut patience) = (None::<Owner>, None);
        let mut lost = Lost::Nodes;
        while let Some((asked, told)) = next(&mut answers, patience).await {
            lost = Lost::Owner;
            let told = told.first().and_then(text).unwrap_or_default();
            let Some(owner) = owner(&told, slot, &asked, self.by_name) else { continue };
            patience = Some(OTHERS);
            if best.as_ref().is_none_or(|best| best.epoch < owner.epoch) {
                best = Some(owner);
            }
        }
        let Owner { host, replicas, .. } = best.ok_or(lost)?;
        let count = replicas.len() as u16;
        // Those who may have the slot next know best when they have it.
        self.nodes.learn(replicas.into_iter().chain([host.clone()]));
        Ok(Primary { host, replicas: count })
    }

    async fn ask_slot(&self) -> Result<u16, Lost> {
        let mut command = cmd("CLUSTER");
        command.arg("KEYSLOT").arg(&self.key);
        let commands = [command];
        let mut answers = self.nodes.ask(&commands);
        while let Some((_, told)) = next(&mut answers, None).await {
            if let Some(Value::Int(slot)) = told.first() {
                return u16::try_from(*slot).map_err(|_| Lost::Owner);
            }
        }
        Err(Lost::Nodes)
    }
}

/// Reads `CLUSTER NODES`: who has a slot, as the node that was asked knows.
fn owner(told: &str, slot: u16, asked: &Host, by_name: bool) -> Option<Owner> {
    let nodes: Vec<Vec<&str>> = told.lines().map(|line| line.split(' ').collect()).collect();
    let owner = nodes.iter().find(|node| node.iter().skip(8).any(|range| has(range, slot)))?;
    let replicas = nodes.iter().filter(|node| node.get(3) == owner.first() && !is(node, "noaddr"));
    Some(Owner {
        epoch: owner.get(6)?.parse().ok()?,
        host: host(owner.get(1)?, asked, by_name)?,
        replicas: replicas.filter_map(|node| host(node.get(1)?, asked, by_name)).collect(),
    })
}

fn is(node: &[&str], flag: &str) -> bool {
    node.get(2).is_some_and(|flags| flags.split(',').any(|other| other == flag))
}

/// A range of slots, or one. (One that moves stands in brackets, and is still its owner's.)
fn has(range: &str, slot: u16) -> bool {
    let (from, to) = range.split_once('-').unwrap_or((range, range));
    matches!((from.parse::<u16>(), to.parse::<u16>()), (Ok(from), Ok(to)) if (from..=to).contains(&slot))
}

/// An address such as `10.0.0.7:6379@16379,name`. A node that does not know its own is where we asked it.
fn host(address: &str, asked: &Host, by_name: bool) -> Option<Host> {
    let (address, bus) = address.split_once('@')?;
    let (ip, port) = address.rsplit_once(':')?;
    let announced = bus.split(',').nth(1).filter(|name| by_name && !name.is_empty());
    let name = announced.unwrap_or(if ip.is_empty() { &asked.name } else { ip });
    Some(Host { name: name.to_owned(), port: port.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::{Owner, owner};
    use crate::address::Host;

    const NODES: &str = "\
aa 10.0.0.1:7000@17000,one,shard-id=x master - 0 0 3 connected 0-5460 5462 [5461->-bb]
bb 10.0.0.2:7000@17000,two,shard-id=y myself,master - 0 0 9 connected 5463-16383
cc :7001@17001 slave,fail aa 0 0 3 disconnected
dd 10.0.0.4:7000@17000 slave aa 0 0 3 connected
ee :0@0 slave,noaddr aa 0 0 3 disconnected
";

    fn host(name: &str, port: u16) -> Host {
        Host { name: name.into(), port }
    }

    #[test]
    fn the_owner_and_its_replicas_in_any_state_are_told() {
        let asked = host("seed", 1);
        for (slot, by_name, name) in [(0, false, "10.0.0.1"), (5462, true, "one")] {
            let expect = Owner {
                epoch: 3,
                host: host(name, 7000),
                replicas: vec![host("seed", 7001), host("10.0.0.4", 7000)],
            };
            assert_eq!(owner(NODES, slot, &asked, by_name), Some(expect), "{slot}");
        }
        let other = owner(NODES, 16383, &asked, false).unwrap();
        assert_eq!((other.host, other.epoch, other.replicas.len()), (host("10.0.0.2", 7000), 9, 0));
        assert_eq!(owner(NODES, 5461, &asked, false), None, "a slot that nobody has");
    }
}
