-- Numbers that only rise. The first statement of every writing transaction changes one of them or another row,
-- so that a transaction waits for its turn before it reads.
CREATE TABLE counters (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('facts', 0), ('evidence', 0), ('plans', 0), ('revision', 0);

CREATE TRIGGER counters_only_rise BEFORE UPDATE ON counters WHEN NEW.value < OLD.value
BEGIN SELECT RAISE(ABORT, 'counters only rise'); END;

-- What happened. `environment` is empty where a fact speaks of none; `body` is the fact as JSON.
CREATE TABLE facts (
    seq         INTEGER NOT NULL PRIMARY KEY,
    at          TEXT    NOT NULL,
    connector   TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    body        TEXT    NOT NULL
);
CREATE INDEX facts_of_connector ON facts (connector, seq);
CREATE INDEX facts_of_kind ON facts (kind, connector, environment, seq);

CREATE TRIGGER facts_in_order BEFORE INSERT ON facts WHEN EXISTS (SELECT 1 FROM facts WHERE seq >= NEW.seq)
BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;
CREATE TRIGGER facts_never_change BEFORE UPDATE ON facts
BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;
CREATE TRIGGER facts_never_go BEFORE DELETE ON facts
BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

-- What the tests of a digest showed. `body` is the evidence as JSON.
CREATE TABLE evidence (
    seq       INTEGER NOT NULL PRIMARY KEY,
    digest    TEXT    NOT NULL,
    level     BIGINT  NOT NULL,
    connector TEXT    NOT NULL,
    started   TEXT    NOT NULL,
    passed    BIGINT  NOT NULL,
    failed    BIGINT  NOT NULL,
    body      TEXT    NOT NULL
);
CREATE INDEX evidence_of_digest ON evidence (digest, seq);
CREATE INDEX evidence_of_level ON evidence (level, digest, seq, passed, failed);

CREATE TRIGGER evidence_in_order BEFORE INSERT ON evidence WHEN EXISTS (SELECT 1 FROM evidence WHERE seq >= NEW.seq)
BEGIN SELECT RAISE(ABORT, 'evidence is append-only'); END;
CREATE TRIGGER evidence_never_changes BEFORE UPDATE ON evidence
BEGIN SELECT RAISE(ABORT, 'evidence is append-only'); END;
CREATE TRIGGER evidence_never_goes BEFORE DELETE ON evidence
BEGIN SELECT RAISE(ABORT, 'evidence is append-only'); END;

-- Who holds the lease: one row, whose epoch rises with every holder.
CREATE TABLE lease (
    name   TEXT   NOT NULL PRIMARY KEY,
    epoch  BIGINT NOT NULL,
    at     TEXT   NOT NULL,
    holder TEXT   NOT NULL
);
INSERT INTO lease (name, epoch, at, holder) VALUES ('pass', 0, '', '');

CREATE TRIGGER lease_epoch_only_rises BEFORE UPDATE ON lease WHEN NEW.epoch < OLD.epoch
BEGIN SELECT RAISE(ABORT, 'epochs only rise'); END;

-- The newest plans, as JSON; `size` is the body's length in bytes.
CREATE TABLE plans (
    seq   INTEGER NOT NULL PRIMARY KEY,
    epoch BIGINT  NOT NULL,
    at    TEXT    NOT NULL,
    size  BIGINT  NOT NULL,
    body  TEXT    NOT NULL
);

-- A cache: what folders declare, by what was read.
CREATE TABLE declarations (
    connector TEXT NOT NULL PRIMARY KEY,
    key       TEXT NOT NULL,
    body      TEXT NOT NULL
);

-- Bundles by digest: every file, packed into one value.
CREATE TABLE bundles (
    digest    TEXT   NOT NULL PRIMARY KEY,
    connector TEXT   NOT NULL,
    content   BLOB   NOT NULL
);

CREATE TRIGGER bundles_never_change BEFORE UPDATE ON bundles
BEGIN SELECT RAISE(ABORT, 'bundles are immutable'); END;

-- Versions that were published once; their content is fixed for ever.
CREATE TABLE published (
    connector TEXT   NOT NULL,
    version   TEXT   NOT NULL,
    digest    TEXT   NOT NULL REFERENCES bundles (digest),
    review    BIGINT NOT NULL,
    at        TEXT   NOT NULL,
    PRIMARY KEY (connector, version)
);

CREATE TRIGGER published_never_changes BEFORE UPDATE ON published
BEGIN SELECT RAISE(ABORT, 'a published version never changes'); END;
CREATE TRIGGER published_never_goes BEFORE DELETE ON published
BEGIN SELECT RAISE(ABORT, 'a published version never changes'); END;
CREATE TRIGGER published_raises_revision AFTER INSERT ON published
BEGIN UPDATE counters SET value = value + 1 WHERE name = 'revision'; END;

-- What each environment holds.
CREATE TABLE holdings (
    environment TEXT NOT NULL,
    connector   TEXT NOT NULL,
    version     TEXT NOT NULL,
    digest      TEXT NOT NULL REFERENCES bundles (digest),
    since       TEXT NOT NULL,
    PRIMARY KEY (environment, connector)
);
CREATE INDEX holdings_of_connector ON holdings (connector, environment);

CREATE TRIGGER holdings_insert_raises_revision AFTER INSERT ON holdings
BEGIN UPDATE counters SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER holdings_update_raises_revision AFTER UPDATE ON holdings
BEGIN UPDATE counters SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER holdings_delete_raises_revision AFTER DELETE ON holdings
BEGIN UPDATE counters SET value = value + 1 WHERE name = 'revision'; END;
