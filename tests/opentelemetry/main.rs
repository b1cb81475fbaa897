//! The recipe of docs/OBSERVABILITY.md: a collector receives the framework's spans, within the application's.
//!
//! It is alone in its program, since what traces is the program's.

#![allow(clippy::unwrap_used, reason = "a test wants to know")]

#[allow(dead_code, reason = "other stories use the rest")]
#[path = "../../crates/countersign/tests/sessions/shop.rs"]
mod shop;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use countersign::testing::Harness;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_sdk::trace::SdkTracerProvider;
use prost::Message as _;
use tracing::{Instrument as _, Level, info_span};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

use shop::*;

/// What reads OTLP over HTTP, as a collector does.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Bytes>>>);

impl Collector {
    async fn listen(&self) -> SocketAddr {
        let received = Arc::clone(&self.0);
        let receive = post(async move |body: Bytes| received.lock().unwrap().push(body));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/v1/traces", receive);
        tokio::spawn(async { axum::serve(listener, app).await });
        address
    }

    fn spans(&self) -> Vec<Span> {
        let received = self.0.lock().unwrap();
        let batches = received.iter().map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap());
        let resources = batches.flat_map(|batch| batch.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }
}

fn text(attributes: &[KeyValue], name: &str) -> Option<String> {
    let value = attributes.iter().find(|attribute| attribute.key == name)?.value.clone()?.value?;
    Some(match value {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        other => panic!("{name} is {other:?}"),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_receives_the_spans_within_the_applications_own() {
    let collector = Collector::default();
    let address = collector.listen().await;
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("http://{address}/v1/traces"))
        .build()
        .unwrap();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
    let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("shop"));
    let targets = Targets::new().with_target("shop", Level::INFO).with_target("countersign", Level::DEBUG);
    tracing_subscriber::registry().with(spans.with_filter(targets)).init();

    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let secrets: Vec<String> = alice.cookies().values().cloned().collect();
    t.pass(2 * MINUTE).await;
    let renewed = alice.post("/session/refresh").instrument(info_span!(target: "shop", "visit")).await;
    assert_eq!(renewed.status, 200);
    let mut anyone = t.browser(shop());
    assert_eq!(anyone.post("/session/refresh").await.status, 401);
    provider.shutdown().unwrap();

    let spans = collector.spans();
    let by_id: BTreeMap<_, _> = spans.iter().map(|span| (span.span_id.clone(), span)).collect();
    let all = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let tried: Vec<_> = all("endpoint")
        .into_iter()
        .filter(|span| text(&span.attributes, "endpoint").as_deref() == Some("refresh"))
        .map(|span| {
            (
                text(&span.attributes, "status"),
                text(&span.attributes, "code"),
                by_id.get(&span.parent_span_id),
            )
        })
        .collect();
    let [(ok, None, Some(visit)), (refused, Some(code), None)] = &tried[..] else {
        panic!("one refresh is within the visit, and one is alone and refused: {tried:?}");
    };
    assert_eq!((ok.as_deref(), refused.as_deref()), (Some("200"), Some("401")));
    assert_eq!((visit.name.as_str(), code.as_str()), ("visit", "not-authenticated"));
    let rotate = all("registry")
        .into_iter()
        .find(|span| text(&span.attributes, "operation").as_deref() == Some("rotate"));
    let rotate = rotate.expect("the registry was asked");
    assert_eq!(by_id[&rotate.parent_span_id].name, "endpoint");
    assert_eq!(text(&rotate.attributes, "outcome").as_deref(), Some("answered"));
    // What happened is told with the span in which it did.
    let told = &by_id[&rotate.parent_span_id].events;
    let refreshed =
        told.iter().find(|event| text(&event.attributes, "event").as_deref() == Some("refreshed"));
    let refreshed = refreshed.expect("the refresh is told");
    assert_eq!(refreshed.name, "countersign.event");
    assert_eq!(text(&refreshed.attributes, "subject").as_deref(), Some("alice"));
    let told = format!("{spans:?}");
    for secret in secrets {
        let signature = secret.rsplit('.').next().unwrap();
        assert!(!told.contains(signature), "a token's signature is in {told}");
    }
}
