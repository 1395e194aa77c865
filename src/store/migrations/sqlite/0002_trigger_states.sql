-- What each environment keeps of a trigger between its runs: its cursor, the events it has seen, its subscription. `body` is JSON and
-- is replaced whole.
CREATE TABLE trigger_states (
    environment TEXT NOT NULL,
    connector   TEXT NOT NULL,
    trigger     TEXT NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (environment, connector, trigger)
);
