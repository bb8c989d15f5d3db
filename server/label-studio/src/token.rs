//! What opens Label Studio: one of two kinds of tokens, told apart by looking.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// Why a text cannot be a token. No message contains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableToken {
    /// Nothing, or something with spaces or other characters that no token has.
    #[error("this is no token of Label Studio: copy it whole from Account & Settings")]
    NoToken,
    /// A token of the right family and the wrong kind.
    #[error(
        "this is one of Label Studio's access tokens, which end after minutes: use the personal access token it was made \
         from, or make one in Account & Settings, Personal Access Token"
    )]
    ShortLived,
}

/// A token, and what kind it is.
#[derive(Clone, Debug)]
pub enum ApiToken {
    /// Goes with every request as it is. Label Studio takes it only where legacy tokens are switched on.
    Legacy(SecretString),
    /// A personal access token: buys access tokens that are good for minutes.
    PersonalAccess(SecretString),
}

impl ApiToken {
    /// Looks at a token: personal access tokens are JSON web tokens, legacy ones are not.
    ///
    /// # Errors
    /// [`UnusableToken`], where it is neither.
    pub fn new(token: &SecretString) -> Result<Self, UnusableToken> {
        let text = token.expose_secret().trim();
        if text.is_empty() || !text.chars().all(|character| character.is_ascii_graphic()) {
            return Err(UnusableToken::NoToken);
        }
        match claims(text) {
            None => Ok(Self::Legacy(text.into())),
            Some(claims) if claims.token_type == "access" => Err(UnusableToken::ShortLived),
            Some(_) => Ok(Self::PersonalAccess(text.into())),
        }
    }

    /// The token itself, for taking it out of what is shown.
    pub(crate) fn secret(&self) -> &SecretString {
        match self {
            Self::Legacy(token) | Self::PersonalAccess(token) => token,
        }
    }
}

/// What we read of a JSON web token.
#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    token_type: String,
}

/// The claims, if this is a JSON web token: three parts, the first two JSON in base64.
fn claims(text: &str) -> Option<Claims> {
    let parts: Vec<_> = text.split('.').collect();
    let [header, claims, signature] = parts[..] else { return None };
    let header: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    if !header.get("alg")?.is_string() || signature.is_empty() {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web_token(claims: &str) -> String {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        format!("{header}.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims))
    }

    fn look_at(text: &str) -> Result<ApiToken, UnusableToken> {
        ApiToken::new(&text.into())
    }

    #[test]
    fn the_two_kinds_are_told_apart() {
        let legacy = look_at("05fecceb97d6ed10bc73209bc2d6367dd819e1d1");
        assert!(matches!(legacy, Ok(ApiToken::Legacy(_))));
        let personal = look_at(&web_token(r#"{"token_type":"refresh","user_id":"1"}"#));
        assert!(matches!(personal, Ok(ApiToken::PersonalAccess(_))));
        // Somebody may choose a legacy token with dots in it.
        assert!(matches!(look_at("a.b.c"), Ok(ApiToken::Legacy(_))));
    }

    #[test]
    fn the_line_end_of_a_copied_token_is_no_part_of_it() {
        let Ok(ApiToken::Legacy(token)) = look_at(" 05fecceb97d6\n") else { panic!("a legacy token") };
        assert_eq!(token.expose_secret(), "05fecceb97d6");
    }

    #[test]
    fn what_cannot_work_is_refused_at_once() {
        assert_eq!(look_at(" \n").unwrap_err(), UnusableToken::NoToken);
        assert_eq!(look_at("Token 05fecceb97d6").unwrap_err(), UnusableToken::NoToken);
        assert_eq!(look_at(&web_token(r#"{"token_type":"access"}"#)).unwrap_err(), UnusableToken::ShortLived);
    }

    #[test]
    fn no_token_shows_in_debug_output() {
        for text in ["05fecceb97d6", &web_token(r#"{"token_type":"refresh"}"#)] {
            assert!(!format!("{:?}", look_at(text)).contains(text));
        }
    }
}
