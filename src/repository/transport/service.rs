//! Fetching and pushing in one question and one answer each, see gitprotocol-pack(5).

use std::io::{self, Read, Write};

use anyhow::{Context, Result, anyhow, bail};
use git2::{Buf, Oid, Repository};

use super::advert::Advert;
use super::pkt::{self, SideBand};
use super::{RefChange, RefUpdate, Session};
use crate::repository::ancestry;
use crate::repository::pack::pack;
use crate::repository::read::{Reader, oid};

/// How many commits a fetch names as known; more only means that a little less is sent twice.
const MAX_HAVES: usize = 512;
/// The most bytes of a server's report on a push.
const MAX_REPORT: u64 = 4 * 1024 * 1024;

/// Brings the objects of all advertised references into the mirror.
pub(super) fn fetch(session: &mut dyn Session, mirror: &Repository, max_bytes: u64) -> Result<Advert> {
    let advert = advertised(session)?;
    let odb = mirror.odb()?;
    let mut wants: Vec<Oid> = advert.refs.values().copied().filter(|id| !odb.exists(*id)).collect();
    wants.sort();
    wants.dedup();
    if wants.is_empty() {
        return Ok(advert);
    }
    let bands = advert.can("side-band-64k");
    let request = fetch_request(mirror, &advert, &wants, bands)?;
    let answered = session.ask(&request).and_then(|mut answer| {
        // Exactly one acknowledgement: the request says "done" at once and asks for none of the extensions.
        pkt::read(&mut *answer)?.context("the remote answered nothing")?;
        let mut data: Box<dyn Read + '_> = if bands { Box::new(SideBand::new(answer, None)?) } else { answer };
        let mut writer = odb.packwriter()?;
        let copied = io::copy(&mut data.by_ref().take(max_bytes), &mut writer)?;
        writer.flush()?;
        if copied == max_bytes {
            bail!("the fetch brings more than {max_bytes} bytes");
        }
        writer.commit().context("cannot store what the remote sent")?;
        Ok(())
    });
    answered.map_err(|error| session.explain(error)).context("cannot fetch")?;
    Ok(advert)
}

fn fetch_request(mirror: &Repository, advert: &Advert, wants: &[Oid], bands: bool) -> Result<Vec<u8>> {
    let mut capabilities = String::new();
    for (wished, offered) in [("side-band-64k", bands), ("ofs-delta", advert.can("ofs-delta")), ("no-progress", advert.can("no-progress"))]
    {
        if offered {
            capabilities.push(' ');
            capabilities.push_str(wished);
        }
    }
    let mut request = Vec::new();
    for (n, want) in wants.iter().enumerate() {
        let capabilities = if n == 0 { capabilities.as_str() } else { "" };
        pkt::write(&mut request, format!("want {want}{capabilities}\n").as_bytes());
    }
    pkt::flush(&mut request);
    for have in known(mirror)? {
        pkt::write(&mut request, format!("have {have}\n").as_bytes());
    }
    pkt::write(&mut request, b"done\n");
    Ok(request)
}

/// The newest commits of the mirror.
fn known(mirror: &Repository) -> Result<Vec<Oid>> {
    let tips = mirror.references()?.flatten().filter_map(|reference| reference.target());
    ancestry::newest(&Reader::new(mirror)?, tips, MAX_HAVES)
}

/// Moves references of the remote. The server compares the old values itself, so nobody can come in between.
pub(super) fn push<'s>(open: &dyn Fn() -> Result<Box<dyn Session + 's>>, mirror: &Repository, changes: &[RefChange]) -> Result<RefUpdate> {
    let mut session = open()?;
    let advert = advertised(&mut *session)?;
    if let Some(stale) = stale(&advert, changes) {
        return Ok(RefUpdate::Stale(stale));
    }
    let moved: Vec<&RefChange> = changes.iter().filter(|change| change.expected.is_some() || change.new.is_some()).collect();
    if moved.is_empty() {
        return Ok(RefUpdate::Done);
    }
    let request = push_request(mirror, &advert, &moved)?;
    let bands = advert.can("side-band-64k");
    let answered = session.ask(&request).and_then(|answer| report(answer, bands));
    let Refusal { reference, reason } = match answered {
        Ok(None) => return Ok(RefUpdate::Done),
        Ok(Some(refusal)) => refusal,
        Err(error) => return Err(session.explain(error)).context("cannot push"),
    };
    drop(session);
    // A refusal because somebody was faster looks different from server to server; what it holds now does not.
    match stale(&advertised(&mut *open()?)?, changes) {
        Some(stale) => Ok(RefUpdate::Stale(stale)),
        None => bail!("the remote refused to move {reference}: {reason}"),
    }
}

fn advertised(session: &mut dyn Session) -> Result<Advert> {
    let read = session.advertisement().and_then(|mut from| Advert::read(&mut *from));
    read.map_err(|error| session.explain(error))
}

fn stale(advert: &Advert, changes: &[RefChange]) -> Option<String> {
    let is_stale = |change: &&RefChange| {
        let there = advert.refs.get(&change.name).map(Oid::to_string);
        there.as_deref() != change.expected.as_ref().map(crate::model::CommitId::as_str)
    };
    changes.iter().find(is_stale).map(|change| change.name.clone())
}

fn push_request(mirror: &Repository, advert: &Advert, changes: &[&RefChange]) -> Result<Vec<u8>> {
    let mut capabilities = "report-status".to_owned();
    for wished in ["side-band-64k", "ofs-delta", "delete-refs"] {
        if advert.can(wished) {
            capabilities.push(' ');
            capabilities.push_str(wished);
        }
    }
    if changes.len() > 1 {
        if advert.can("atomic") {
            capabilities.push_str(" atomic");
        } else {
            tracing::warn!("the remote cannot move several references at once; they are moved one by one");
        }
    }
    let mut request = Vec::new();
    let mut wanted = Vec::new();
    for (n, change) in changes.iter().enumerate() {
        let old = change.expected.as_ref().map_or(Ok(Oid::ZERO_SHA1), oid)?;
        let new = change.new.as_ref().map_or(Ok(Oid::ZERO_SHA1), oid)?;
        wanted.extend(change.new.as_ref().map(|_| new));
        let capabilities = if n == 0 { format!("\0{capabilities}") } else { String::new() };
        pkt::write(&mut request, format!("{old} {new} {}{capabilities}", change.name).as_bytes());
    }
    pkt::flush(&mut request);
    if !wanted.is_empty() {
        let mut buffer = Buf::new();
        pack(mirror, &wanted, advert.refs.values().copied())?.write_buf(&mut buffer).context("cannot pack what is to be pushed")?;
        request.extend_from_slice(&buffer);
    }
    Ok(request)
}

struct Refusal {
    reference: String,
    reason: String,
}

fn report(answer: Box<dyn Read + '_>, bands: bool) -> Result<Option<Refusal>> {
    let mut text = Vec::new();
    let remarks = if bands {
        let mut band = SideBand::new(answer, None)?;
        band.by_ref().take(MAX_REPORT).read_to_end(&mut text)?;
        band.remarks()
    } else {
        answer.take(MAX_REPORT).read_to_end(&mut text)?;
        String::new()
    };
    let mut from = text.as_slice();
    let mut refusals = Vec::new();
    let mut unpacked = false;
    while let Some(line) = pkt::read(&mut from).context("cannot read the remote's report")? {
        let line = String::from_utf8_lossy(pkt::trimmed(&line)).into_owned();
        match line.split_once(' ') {
            Some(("unpack", "ok")) => unpacked = true,
            Some(("unpack", reason)) => return Err(anyhow!("the remote could not store the objects: {}", pkt::shown(reason.as_bytes()))),
            Some(("ng", rest)) => {
                let (reference, reason) = rest.split_once(' ').unwrap_or((rest, "no reason given"));
                refusals.push(Refusal { reference: pkt::shown(reference.as_bytes()), reason: pkt::shown(reason.as_bytes()) });
            }
            _ => {}
        }
    }
    if !unpacked {
        bail!("the remote did not report on the push");
    }
    // Of an atomic push every reference is refused; the one with a reason of its own tells most.
    refusals.sort_by_key(|refusal| refusal.reason.contains("atomic"));
    Ok(refusals.into_iter().next().map(|mut refusal| {
        if !remarks.is_empty() {
            refusal.reason = format!("{} ({remarks})", refusal.reason);
        }
        refusal
    }))
}
