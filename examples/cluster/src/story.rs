//! The story: one session, three nodes, and how soon its end is known on all of them. Every figure is measured.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::visitor::{Line, Visitor};

/// How often the end is measured.
const TIMES: usize = 50;
/// A node that has not heard of an end by then has missed it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells it on the first three nodes.
pub(crate) async fn tell(nodes: &[SocketAddr]) -> Outcome<()> {
    let mut lines = Vec::new();
    for &node in &nodes[..3] {
        lines.push(Line::to(node).await?);
    }
    let mut alice = Visitor::default();
    alice.log_in(&mut lines[0], "alice").await?;
    println!("alice logs in through node 1              200");
    for node in [1, 2] {
        alice.session(&mut lines[node]).await?.expect(200)?;
        println!("and is herself on node {}                  200", node + 1);
    }
    let heard = end(&alice, &mut lines, 2).await?;
    println!("she logs out through node 3               204");
    for (node, after) in &heard {
        println!("node {} refuses her session                401, {} after", node + 1, shown(*after));
    }
    let mut all = Vec::with_capacity(TIMES * 2);
    for turn in 0..TIMES {
        let mut visitor = Visitor::default();
        visitor.log_in(&mut lines[turn % 3], "alice").await?;
        let heard = end(&visitor, &mut lines, (turn + 2) % 3).await?;
        all.extend(heard.into_iter().map(|(_, after)| after));
    }
    all.sort();
    let (half, most) = (all[all.len() / 2], all[all.len() - 1]);
    println!(
        "{TIMES} more logouts, from acknowledgement to refusal on the other nodes: half within {}, all within {}",
        shown(half),
        shown(most)
    );
    Ok(())
}

/// Ends the visitor's session on one node, while the others are asked about it as fast as they answer: how long after the
/// acknowledgement each of them refused it.
async fn end(visitor: &Visitor, lines: &mut [Line], on: usize) -> Outcome<Vec<(usize, Duration)>> {
    let (one, other) = ((on + 1) % 3, (on + 2) % 3);
    let [ending, first, second] = lines.get_disjoint_mut([on, one, other])?;
    let mut leaving = visitor.clone();
    let acknowledged = async {
        leaving.log_out(ending).await?;
        Ok(Instant::now())
    };
    let (acknowledged, first, second) =
        tokio::try_join!(acknowledged, refused(visitor.clone(), first), refused(visitor.clone(), second))?;
    // A node may hear of it before the visitor does.
    let since = |refused: Instant| refused.saturating_duration_since(acknowledged);
    Ok(vec![(one, since(first)), (other, since(second))])
}

/// When the node first refuses the session.
async fn refused(mut visitor: Visitor, node: &mut Line) -> Outcome<Instant> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = visitor.session(node).await?;
        if answer.status != 200 {
            answer.expect(401)?;
            return match (answer.word("code"), answer.word("reason")) {
                ("session-ended", "logout") => Ok(Instant::now()),
                other => Err(format!("a node refused the session as {other:?}").into()),
            };
        }
        if Instant::now() > deadline {
            return Err(format!("a node still served the session {PATIENCE:?} after it began to end").into());
        }
    }
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
