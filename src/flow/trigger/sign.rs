//! Signs a request as its service would: tests send requests that prove where they come from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::incoming::Incoming;
use super::model::{Slot, Start, TokenPlace, Trigger, Verify};
use super::receive::Setting;
use super::verify::{self, Refusal};

impl Trigger {
    /// Adds to a request what proves where it comes from. A token within the body cannot be added: whoever writes the body writes it.
    pub fn sign(&self, incoming: &mut Incoming, setting: &Setting<'_>) -> Result<(), Refusal> {
        let Start::Webhook(webhook) = &self.start else { return Ok(()) };
        match &webhook.verify {
            None | Some(Verify::Token(TokenPlace::Expression)) => {}
            Some(Verify::Hmac(hmac)) => verify::sign(hmac, incoming, setting)?,
            Some(Verify::Basic) => {
                let [username, password] = [Slot::Username, Slot::Password].map(|slot| verify::text(slot, &setting.secrets(), setting));
                let credentials = STANDARD.encode(format!("{}:{}", username?, password?));
                incoming.headers.push(("authorization".to_owned(), format!("Basic {credentials}")));
            }
            Some(Verify::Bearer) => {
                let token = verify::secret(Slot::Token, setting)?;
                incoming.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
            }
            Some(Verify::Token(TokenPlace::Header(name))) => {
                let token = verify::secret(Slot::Token, setting)?;
                incoming.headers.push((name.clone(), token));
            }
            Some(Verify::Token(TokenPlace::Query(name))) => {
                let token = verify::secret(Slot::Token, setting)?;
                incoming.query.push((name.clone(), token));
            }
        }
        Ok(())
    }
}
