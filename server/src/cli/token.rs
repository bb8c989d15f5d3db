//! `gourmetgram user token`: what machines send instead of a name and a password.

use std::fmt::Write;

use chrono::{TimeDelta, Utc};
use clap::Subcommand;
use secrecy::ExposeSecret;

use super::{print, user::open_catalog};
use crate::{
    accounts::{Scope, Scopes},
    catalog::{AccessToken, now},
    config::Settings,
    http::{new_access_token, sha256_hex},
};

/// What can be done with them.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make an access token for a machine; it is shown once.
    #[command(after_help = "Scopes:\n  \
        predictions:write     send photos\n  \
        predictions:backdate  send photos with a time in the past\n  \
        predictions:read      see everybody's predictions and photos\n  \
        predictions:erase     erase everybody's photos\n  \
        feedback:write        flag and relabel everybody's predictions\n  \
        campaigns:read        see labelling campaigns and what they would choose\n  \
        campaigns:write       make and archive campaigns, and have them select\n  \
        evaluation:read       see how accurate the model is\n  \
        metrics:read          read /metrics where it needs a token\n  \
        admin                 everything an operator may do\n\n\
        Example:\n  \
        gourmetgram user token add nightly-report --scope predictions:read --expires-days 365\n  \
        curl -H \"Authorization: Bearer ggo_…\" http://127.0.0.1:8080/api/v1/predictions")]
    Add {
        /// A name to know the token by.
        name: String,
        /// What it may do; say it again for more, or separate by commas.
        #[arg(long = "scope", value_name = "SCOPE", required = true, value_delimiter = ',')]
        scopes: Vec<Scope>,
        /// After how many days it stops working; never, where not said.
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
        expires_days: Option<u16>,
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the tokens there are, without the tokens themselves.
    #[command(after_help = "Example:\n  gourmetgram user token list --json")]
    List {
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a token work no more, at once.
    #[command(after_help = "Example:\n  gourmetgram user token revoke nightly-report")]
    Revoke {
        /// The token's name.
        name: String,
    },
}

/// Runs one of them.
pub async fn run(settings: &Settings, command: TokenCommand) -> anyhow::Result<()> {
    match command {
        TokenCommand::Add { name, scopes, expires_days, json } => {
            add(settings, &name, &scopes.into_iter().collect(), expires_days, json).await
        }
        TokenCommand::List { json } => list(settings, json).await,
        TokenCommand::Revoke { name } => revoke(settings, &name).await,
    }
}

async fn add(
    settings: &Settings,
    name: &str,
    scopes: &Scopes,
    expires_days: Option<u16>,
    json: bool,
) -> anyhow::Result<()> {
    let is_plain = !name.chars().any(char::is_control) && name.trim() == name;
    anyhow::ensure!(is_plain && (1..=100).contains(&name.len()), "a token's name has 1 to 100 bytes of plain text");
    let catalog = open_catalog(settings).await?;
    let token = new_access_token();
    let hash = sha256_hex(token.expose_secret().as_bytes());
    let expires_at = expires_days.map(|days| now() + TimeDelta::days(i64::from(days)));
    anyhow::ensure!(
        catalog.add_access_token(name, scopes, hash, expires_at).await?,
        "the name {name:?} is taken: choose another"
    );
    if json {
        let mut report =
            describe(&AccessToken { name: name.to_owned(), scopes: scopes.clone(), created_at: now(), expires_at });
        report["token"] = token.expose_secret().into();
        return print(&format!("{report}\n"));
    }
    print(&format!("{}\n", token.expose_secret()))
}

async fn list(settings: &Settings, json: bool) -> anyhow::Result<()> {
    let tokens = open_catalog(settings).await?.access_tokens().await?;
    if json {
        let tokens: Vec<_> = tokens.iter().map(describe).collect();
        return print(&format!("{}\n", serde_json::Value::from(tokens)));
    }
    let mut text = String::new();
    for token in &tokens {
        let end = match token.expires_at {
            None => "never expires".to_owned(),
            Some(end) if end <= Utc::now() => format!("expired {}", end.format("%Y-%m-%d")),
            Some(end) => format!("expires {}", end.format("%Y-%m-%d")),
        };
        let _ = writeln!(text, "{}\t{}\tmade {}\t{end}", token.name, token.scopes, token.created_at.format("%Y-%m-%d"));
    }
    print(&text)
}

async fn revoke(settings: &Settings, name: &str) -> anyhow::Result<()> {
    let revoked = open_catalog(settings).await?.revoke_access_token(name).await?;
    anyhow::ensure!(revoked, "there is no token {name:?}: gourmetgram user token list shows those there are");
    print(&format!("revoked {name}\n"))
}

fn describe(token: &AccessToken) -> serde_json::Value {
    serde_json::json!({
        "name": token.name,
        "scopes": token.scopes.iter().map(Scope::as_str).collect::<Vec<_>>(),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
    })
}
