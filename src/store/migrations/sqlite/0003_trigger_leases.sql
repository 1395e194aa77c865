-- Which process runs a trigger: one at a time. The epoch rises with every holder, so that one whose time is over can be told from the next.
-- `held_until` is in milliseconds since 1970. In these tables `environment` is an environment's name, or what else names a connection.
CREATE TABLE trigger_leases (
    environment TEXT NOT NULL,
    connector   TEXT NOT NULL,
    trigger     TEXT NOT NULL,
    epoch       BIGINT NOT NULL,
    holder      TEXT NOT NULL,
    held_until  BIGINT NOT NULL,
    PRIMARY KEY (environment, connector, trigger)
);
