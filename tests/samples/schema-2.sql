-- Sample data of schema 2: a polled trigger that has run once.
INSERT INTO trigger_states (environment, connector, trigger, body) VALUES
    ('test', 'github-issues', 'issue-opened', '{"cursor":"2026-09-22T10:00:00Z","seen":["=4711"],"lastScheduled":"2026-09-22T10:05:00Z"}');
