//! How a request proves who it is: what goes into the request itself, and what whoever sends it must ask for first.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jaq_json::Val;

use super::Run;
use super::arguments::{Moment, object};
use super::outgoing::{Outgoing, Side};
use crate::flow::data::{Data, REDACTED};
use crate::flow::expression::Unevaluated;
use crate::flow::expression::value::{text_of, text_to_jq};
use crate::flow::fault::{Fault, Standard};
use crate::flow::model::{Authentication, DISCOVERY, OAuth2Model};
use crate::flow::parse::Parser;
use crate::flow::session::{Credentials, Grant, OAuth2};
use crate::flow::template::Template;

impl Run<'_> {
    /// Adds credentials to a request. Those that have no value, such as an optional property that is not given, are left out.
    pub(super) fn authenticate(
        &self,
        outgoing: &mut Outgoing,
        how: &Authentication,
        input: &Data,
        moment: &mut Moment<'_>,
    ) -> Result<(), Fault> {
        outgoing.headers = (outgoing.real.headers.len(), outgoing.shown.headers.len());
        match how {
            Authentication::Basic { username, password } => match self.pair(username, password, input, moment)? {
                None => Ok(()),
                Some((username, password)) => authorize(outgoing, "Basic", &STANDARD.encode(format!("{username}:{password}"))),
            },
            Authentication::Bearer(token) => match self.text(token, input, moment)? {
                None => Ok(()),
                Some((token, _)) => authorize(outgoing, "Bearer", &token),
            },
            Authentication::KeyInHeader { name, value } => match self.text(value, input, moment)? {
                None => Ok(()),
                Some((real, shown)) => outgoing.header(name, &real, &shown),
            },
            Authentication::KeyInQuery { name, value } => {
                if let Some((real, shown)) = self.text(value, input, moment)? {
                    outgoing.query(name, &real, &shown);
                }
                Ok(())
            }
            Authentication::Digest { username, password } => {
                let pair = self.pair(username, password, input, moment)?;
                outgoing.credentials = pair.map(|(username, password)| Credentials::Digest { username, password });
                Ok(())
            }
            Authentication::OAuth2(model) => {
                outgoing.credentials = self.oauth2(model, input, moment)?.map(|oauth2| Credentials::OAuth2(Box::new(oauth2)));
                Ok(())
            }
            Authentication::OAuth2InSecret { secret, oidc } => {
                let oauth2 = self.oauth2(&self.oauth2_of(secret, *oidc)?, input, moment)?;
                outgoing.credentials = oauth2.map(|oauth2| Credentials::OAuth2(Box::new(oauth2)));
                Ok(())
            }
        }
    }

    /// A user's credentials, if there is a user; one without a password has an empty one.
    fn pair(&self, username: &Template, password: &Template, input: &Data, moment: &Moment<'_>) -> Result<Option<(String, String)>, Fault> {
        let Some((username, _)) = self.text(username, input, moment)? else { return Ok(None) };
        let password = self.text(password, input, moment)?.map(|(password, _)| password);
        Ok(Some((username, password.unwrap_or_default())))
    }

    /// Tells `$authorization` of credentials. Of those that whoever sends the request asks for first, only the scheme is known.
    pub(super) fn announce(&self, how: Option<&Authentication>, input: &Data, moment: &mut Moment<'_>) -> Result<(), Fault> {
        let (scheme, parameter) = match how {
            None | Some(Authentication::KeyInHeader { .. } | Authentication::KeyInQuery { .. }) => return Ok(()),
            Some(Authentication::Basic { username, password }) => match self.pair(username, password, input, moment)? {
                None => return Ok(()),
                Some((username, password)) => ("Basic", Some(STANDARD.encode(format!("{username}:{password}")))),
            },
            Some(Authentication::Bearer(token)) => match self.text(token, input, moment)? {
                None => return Ok(()),
                Some((token, _)) => ("Bearer", Some(token)),
            },
            Some(Authentication::Digest { .. }) => ("Digest", None),
            Some(Authentication::OAuth2(_) | Authentication::OAuth2InSecret { .. }) => ("Bearer", None),
        };
        let parameter = parameter.map_or_else(Data::null, |parameter| Data::secret(text_to_jq(&parameter)));
        moment.authorization(object([("scheme", Data::plain(text_to_jq(scheme))), ("parameter", parameter)]));
        Ok(())
    }

    /// What a secret says of OAuth2: the same as a flow would, but nothing in it is an expression.
    fn oauth2_of(&self, secret: &str, oidc: bool) -> Result<OAuth2Model, Fault> {
        let value = match self.setting.secrets.real() {
            Val::Obj(secrets) => secrets.get(&text_to_jq(secret)),
            Val::Null | Val::Bool(_) | Val::Num(_) | Val::BStr(_) | Val::TStr(_) | Val::Arr(_) => None,
        };
        let value = value.ok_or_else(|| Fault::expression(Unevaluated::NoSecret(secret.to_owned())))?;
        let model = Parser::oauth2_of(&self.bounded_value(value)?, oidc);
        model.ok_or_else(|| Fault::standard(Standard::Configuration, "Unusable secret", format!("`{secret}` does not describe OAuth2")))
    }

    /// A text and what may be shown of it; nothing where it is null.
    fn text(&self, template: &Template, input: &Data, moment: &Moment<'_>) -> Result<Option<(String, String)>, Fault> {
        let value = self.evaluate(template, input, moment)?;
        if matches!(value.real(), Val::Null) {
            return Ok(None);
        }
        let (real, shown) = value.texts();
        let shown = shown.unwrap_or_else(|| real.clone());
        Ok(Some((real, shown)))
    }

    /// How a token is asked for; nothing where what stands for the right to have one has no value.
    fn oauth2(&self, model: &OAuth2Model, input: &Data, moment: &Moment<'_>) -> Result<Option<OAuth2>, Fault> {
        let (authority, shown) = model.authority.evaluate(input, moment).map_err(Fault::expression)?;
        let text = |template: &Option<Template>| match template {
            None => Ok(None),
            Some(template) => self.text(template, input, moment).map(|text| text.map(|(real, _)| real)),
        };
        let words = |template: &Option<Template>| match template {
            None => Ok(Vec::new()),
            Some(template) => self.words(template, input, moment),
        };
        let token = |token: &Option<crate::flow::model::TokenModel>| match token {
            None => Ok(None),
            Some(token) => self.pair(&token.token, &token.kind, input, moment),
        };
        let (token_url, discovery_url) = match &model.token_path {
            Some(path) if path.contains("://") => (path.clone(), None),
            Some(path) => (format!("{}/{}", authority.trim_end_matches('/'), path.trim_start_matches('/')), None),
            None => (String::new(), Some(discovery(&authority))),
        };
        for address in [Some(token_url.as_str()).filter(|address| !address.is_empty()), discovery_url.as_deref()].into_iter().flatten() {
            let allowed = Side::parse(address).and_then(|url| self.allow(&url, &url));
            allowed.map_err(|fault| {
                if shown.is_none() { fault } else { Fault::expression("a secret makes an authority that cannot be asked").fatal() }
            })?;
        }
        let oauth2 = OAuth2 {
            token_url,
            discovery_url,
            grant: model.grant,
            client_id: text(&model.client_id)?,
            client_secret: text(&model.client_secret)?,
            client_assertion: text(&model.client_assertion)?,
            client_authentication: model.client_authentication,
            json: model.json,
            scopes: words(&model.scopes)?,
            audiences: words(&model.audiences)?,
            issuers: words(&model.issuers)?,
            username: text(&model.username)?,
            password: text(&model.password)?,
            refresh_token: text(&model.refresh_token)?,
            subject: token(&model.subject)?,
            actor: token(&model.actor)?,
        };
        Ok(has_credentials(model, &oauth2).then_some(oauth2))
    }

    /// A list of texts, or one text with blanks between its words.
    fn words(&self, template: &Template, input: &Data, moment: &Moment<'_>) -> Result<Vec<String>, Fault> {
        let value = self.evaluate(template, input, moment)?;
        // Which kind of value it is may not depend on a secret.
        self.decided(&value, std::mem::discriminant)?;
        match value.real() {
            Val::Arr(items) => Ok(items.iter().map(text_of).collect()),
            Val::TStr(_) | Val::BStr(_) => Ok(text_of(value.real()).split_whitespace().map(str::to_owned).collect()),
            Val::Null => Ok(Vec::new()),
            Val::Bool(_) | Val::Num(_) | Val::Obj(_) => {
                Err(Fault::standard(Standard::Configuration, "Not a list", "scopes, audiences and issuers are lists of texts"))
            }
        }
    }
}

/// Whether what stands for the right to have a token has a value, where the flow names it.
fn has_credentials(model: &OAuth2Model, oauth2: &OAuth2) -> bool {
    let has = |named: bool, is_there: bool| !named || is_there;
    match oauth2.grant {
        Grant::ClientCredentials => has(
            model.client_secret.is_some() || model.client_assertion.is_some(),
            oauth2.client_secret.is_some() || oauth2.client_assertion.is_some(),
        ),
        Grant::Password => has(model.username.is_some(), oauth2.username.is_some()),
        Grant::RefreshToken => has(model.refresh_token.is_some(), oauth2.refresh_token.is_some()),
        Grant::TokenExchange => has(model.subject.is_some(), oauth2.subject.is_some()),
    }
}

/// Credentials are shown to nobody, whatever they are made of.
fn authorize(outgoing: &mut Outgoing, scheme: &str, parameter: &str) -> Result<(), Fault> {
    outgoing.header("authorization", &format!("{scheme} {parameter}"), &format!("{scheme} {REDACTED}"))
}

/// The address at which an authority describes itself.
fn discovery(authority: &str) -> String {
    if authority.ends_with(DISCOVERY) { authority.to_owned() } else { format!("{}{DISCOVERY}", authority.trim_end_matches('/')) }
}
