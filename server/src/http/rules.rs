//! Who may do what: one line a route. `guard` lets nothing pass that has no line here, and
//! docs/api.md is held against this table by a test.

use axum::http::{HeaderValue, Method};
use gourmetgram_api::Role;

use crate::accounts::Scope;

/// Who may call a route, as far as that can be said without looking at what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anybody.
    Anybody,
    /// Whoever owns what is asked for, and operators; the route itself looks whose it is.
    Owner,
    /// People with this role, and those above it.
    Role(Role),
}

impl Who {
    /// The word for it in docs/api.md.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anybody | Self::Role(Role::Visitor) => "anybody",
            Self::Owner => "owner, operator",
            Self::Role(Role::Annotator) => "annotator, operator",
            Self::Role(Role::Operator) => "operator",
        }
    }
}

/// What a route is for the client, which decides how it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// For programs: refused with a problem document.
    Api,
    /// A form on a page: refused with the page and what was wrong.
    Form,
    /// A page: refused with the way to sign in.
    Page,
}

/// One route's line.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Method.
    pub method: &'static str,
    /// Path, as the router has it.
    pub path: &'static str,
    /// What it is for the client.
    pub kind: Kind,
    /// Who may call it.
    pub who: Who,
    /// What a machine's token needs to call it; `None`: tokens change nothing here.
    pub scope: Option<Scope>,
}

const fn api(method: &'static str, path: &'static str, who: Who, scope: Option<Scope>) -> Rule {
    Rule { method, path, kind: Kind::Api, who, scope }
}

const fn form(path: &'static str, who: Who, scope: Option<Scope>) -> Rule {
    Rule { method: "POST", path, kind: Kind::Form, who, scope }
}

const fn page(path: &'static str, who: Who, scope: Option<Scope>) -> Rule {
    Rule { method: "GET", path, kind: Kind::Page, who, scope }
}

const ANNOTATOR: Who = Who::Role(Role::Annotator);
const OPERATOR: Who = Who::Role(Role::Operator);

/// Every route. A page's line also covers the pages below it.
pub const RULES: &[Rule] = &[
    api("POST", "/api/v1/predictions", Who::Anybody, Some(Scope::PredictionsWrite)),
    api("GET", "/api/v1/predictions", Who::Owner, Some(Scope::PredictionsRead)),
    api("GET", "/api/v1/predictions/facets", OPERATOR, Some(Scope::PredictionsRead)),
    api("POST", "/api/v1/predictions/flags", OPERATOR, Some(Scope::FeedbackWrite)),
    api("GET", "/api/v1/predictions/{id}", Who::Owner, Some(Scope::PredictionsRead)),
    api("DELETE", "/api/v1/predictions/{id}", Who::Owner, Some(Scope::PredictionsErase)),
    api("GET", "/api/v1/predictions/{id}/image", Who::Owner, Some(Scope::PredictionsRead)),
    api("GET", "/api/v1/predictions/{id}/thumbnail", Who::Owner, Some(Scope::PredictionsRead)),
    api("GET", "/api/v1/predictions/{id}/objects", OPERATOR, Some(Scope::PredictionsRead)),
    api("GET", "/api/v1/predictions/{id}/neighbours", OPERATOR, Some(Scope::PredictionsRead)),
    api("PUT", "/api/v1/predictions/{id}/flag", Who::Owner, Some(Scope::FeedbackWrite)),
    api("DELETE", "/api/v1/predictions/{id}/flag", Who::Owner, Some(Scope::FeedbackWrite)),
    api("PUT", "/api/v1/predictions/{id}/correction", Who::Owner, Some(Scope::FeedbackWrite)),
    api("DELETE", "/api/v1/predictions/{id}/correction", Who::Owner, Some(Scope::FeedbackWrite)),
    api("PUT", "/api/v1/predictions/{id}/device", Who::Owner, Some(Scope::PredictionsWrite)),
    api("GET", "/api/v1/export", OPERATOR, Some(Scope::PredictionsRead)),
    api("GET", "/api/v1/campaigns", OPERATOR, Some(Scope::CampaignsRead)),
    api("POST", "/api/v1/campaigns", OPERATOR, Some(Scope::CampaignsWrite)),
    api("POST", "/api/v1/campaigns/preview", OPERATOR, Some(Scope::CampaignsRead)),
    api("GET", "/api/v1/campaigns/{id}", OPERATOR, Some(Scope::CampaignsRead)),
    api("DELETE", "/api/v1/campaigns/{id}", OPERATOR, Some(Scope::CampaignsWrite)),
    api("POST", "/api/v1/campaigns/{id}/select", OPERATOR, Some(Scope::CampaignsWrite)),
    api("GET", "/api/v1/campaigns/{id}/tasks", OPERATOR, Some(Scope::CampaignsRead)),
    // Label Studio, by a secret that the route itself compares.
    api("POST", "/api/v1/label-studio/webhook", Who::Anybody, None),
    api("GET", "/api/v1/review/next", ANNOTATOR, Some(Scope::Admin)),
    api("POST", "/api/v1/review/next", ANNOTATOR, Some(Scope::Admin)),
    api("GET", "/api/v1/review/tasks/{id}/image", ANNOTATOR, Some(Scope::Admin)),
    api("POST", "/api/v1/review/tasks/{id}/skip", ANNOTATOR, Some(Scope::Admin)),
    api("DELETE", "/api/v1/review/tasks/{id}/skip", ANNOTATOR, Some(Scope::Admin)),
    api("GET", "/api/v1/annotations", OPERATOR, Some(Scope::PredictionsRead)),
    api("POST", "/api/v1/annotations", ANNOTATOR, Some(Scope::Admin)),
    api("DELETE", "/api/v1/annotations/{id}", ANNOTATOR, Some(Scope::Admin)),
    api("GET", "/api/v1/models/live", Who::Anybody, None),
    api("GET", "/api/v1/models/live/device", Who::Anybody, None),
    api("GET", "/api/v1/models/parts/{sha256}", Who::Anybody, None),
    api("GET", "/api/v1/pipelines", OPERATOR, Some(Scope::PipelinesRead)),
    api("GET", "/api/v1/pipelines/{name}/runs", OPERATOR, Some(Scope::PipelinesRead)),
    api("POST", "/api/v1/pipelines/{name}/runs", OPERATOR, Some(Scope::PipelinesRun)),
    api("POST", "/api/v1/pipelines/{name}/backfills", OPERATOR, Some(Scope::PipelinesRun)),
    api("GET", "/api/v1/pipelines/{name}/runs/{run}", OPERATOR, Some(Scope::PipelinesRead)),
    api("DELETE", "/api/v1/pipelines/{name}/runs/{run}", OPERATOR, Some(Scope::PipelinesRun)),
    api("GET", "/api/v1/evaluation", OPERATOR, Some(Scope::EvaluationRead)),
    api("GET", "/api/v1/evaluation/manifest", OPERATOR, Some(Scope::EvaluationRead)),
    api("GET", "/api/v1/evaluation/published/{number}/manifest", OPERATOR, Some(Scope::EvaluationRead)),
    api("GET", "/api/v1/evaluation/suspects", OPERATOR, Some(Scope::EvaluationRead)),
    api("POST", "/predict", Who::Anybody, None),
    api("GET", "/livez", Who::Anybody, None),
    api("GET", "/readyz", Who::Anybody, None),
    // With `metrics.require_token`: operators, and tokens with the scope.
    api("GET", "/metrics", Who::Anybody, Some(Scope::MetricsRead)),
    api("GET", "/api/openapi.json", Who::Anybody, None),
    form("/photos", Who::Anybody, Some(Scope::PredictionsWrite)),
    form("/photos/flags", OPERATOR, Some(Scope::FeedbackWrite)),
    form("/photos/{id}/flag", Who::Owner, Some(Scope::FeedbackWrite)),
    form("/photos/{id}/unflag", Who::Owner, Some(Scope::FeedbackWrite)),
    form("/photos/{id}/correct", Who::Owner, Some(Scope::FeedbackWrite)),
    form("/photos/{id}/uncorrect", Who::Owner, Some(Scope::FeedbackWrite)),
    form("/photos/{id}/erase", Who::Owner, Some(Scope::PredictionsErase)),
    form("/campaigns", OPERATOR, Some(Scope::CampaignsWrite)),
    form("/campaigns/{id}/select", OPERATOR, Some(Scope::CampaignsWrite)),
    form("/campaigns/{id}/archive", OPERATOR, Some(Scope::CampaignsWrite)),
    form("/review/answer", ANNOTATOR, Some(Scope::Admin)),
    form("/review/skip", ANNOTATOR, Some(Scope::Admin)),
    form("/review/undo", ANNOTATOR, Some(Scope::Admin)),
    form("/login", Who::Anybody, None),
    form("/login/link", Who::Anybody, None),
    form("/login/account", OPERATOR, Some(Scope::Admin)),
    form("/login/password", ANNOTATOR, Some(Scope::Admin)),
    form("/pipelines/runs", OPERATOR, Some(Scope::PipelinesRun)),
    form("/pipelines/backfills", OPERATOR, Some(Scope::PipelinesRun)),
    form("/pipelines/{run}/again", OPERATOR, Some(Scope::PipelinesRun)),
    form("/pipelines/{run}/cancel", OPERATOR, Some(Scope::PipelinesRun)),
    form("/logout", Who::Anybody, None),
    page("/", Who::Anybody, None),
    page("/login/account", ANNOTATOR, Some(Scope::Admin)),
    page("/login", Who::Anybody, None),
    page("/login/link", Who::Anybody, None),
    page("/dashboard", OPERATOR, Some(Scope::EvaluationRead)),
    page("/photos", OPERATOR, Some(Scope::PredictionsRead)),
    page("/campaigns", OPERATOR, Some(Scope::CampaignsRead)),
    page("/review", ANNOTATOR, Some(Scope::Admin)),
    page("/pipelines", OPERATOR, Some(Scope::PipelinesRead)),
    page("/models", OPERATOR, Some(Scope::Admin)),
];

/// The line of a route, by its path in the router. `HEAD` is read like `GET`.
pub fn of_route(method: &Method, path: &str) -> Option<&'static Rule> {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    RULES.iter().find(|rule| rule.method == method && rule.path == path)
}

/// The methods that a path of the router takes, as the header `Allow` names them; `None` where no rule knows the path.
pub fn methods_of(path: &str) -> Option<HeaderValue> {
    let mut methods: Vec<&str> = RULES.iter().filter(|rule| rule.path == path).map(|rule| rule.method).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    methods.dedup();
    HeaderValue::from_str(&methods.join(",")).ok().filter(|methods| !methods.is_empty())
}

/// The line of the page at `path`: its own, or that of the page it lies below. Other addresses are nobody's and lead to
/// a page that says so.
pub fn of_page(path: &str) -> Option<&'static Rule> {
    let covers = |rule: &&Rule| {
        rule.kind == Kind::Page
            && path.strip_prefix(rule.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    RULES.iter().filter(covers).max_by_key(|rule| rule.path.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_below_another_has_its_rule_and_a_page_beside_it_has_not() {
        assert_eq!(of_page("/photos").unwrap().who, OPERATOR);
        assert_eq!(of_page("/photos/17").unwrap().who, OPERATOR);
        assert_eq!(of_page("/login/account").unwrap().who, ANNOTATOR);
        assert_eq!(of_page("/login/link").unwrap().who, Who::Anybody);
        assert_eq!(of_page("/").unwrap().who, Who::Anybody);
        assert!(of_page("/photosynthesis").is_none());
        assert!(of_page("/api").is_none());
    }

    #[test]
    fn every_route_has_one_line() {
        for (at, rule) in RULES.iter().enumerate() {
            let same = RULES[at + 1..].iter().find(|other| other.method == rule.method && other.path == rule.path);
            assert!(same.is_none(), "{rule:?} is there twice");
        }
    }

    #[test]
    fn every_described_route_has_a_line() {
        let document = serde_json::to_value(crate::http::openapi()).unwrap();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for method in operations.as_object().unwrap().keys() {
                let method: Method = method.to_uppercase().parse().unwrap();
                assert!(of_route(&method, path).is_some(), "{method} {path} has no line in http::rules");
            }
        }
    }
}
