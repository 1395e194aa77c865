-- Sample data of schema 1: what a pass leaves after one connector was deployed, tested and published.
UPDATE counters SET value = 2 WHERE name = 'facts';
UPDATE counters SET value = 1 WHERE name = 'evidence';
UPDATE counters SET value = 1 WHERE name = 'plans';
UPDATE lease SET epoch = 3, at = '2026-09-22T10:00:00Z', holder = 'server:4711' WHERE name = 'pass';

INSERT INTO facts (seq, at, connector, environment, kind, body) VALUES
    (1, '2026-09-22T10:00:00.123456789Z', 'github-issues', 'test', 'deployed',
     '{"fact":"deployed","environment":"test","version":"1.2.0","digest":"c380478a9f4dce3f2073e4507b3b1b1f641191c93c7cdb0a3fff89dc4d7f972f"}'),
    (2, '2026-09-22T10:00:01Z', 'github-issues', '', 'testsFinished',
     '{"fact":"testsFinished","digest":"c380478a9f4dce3f2073e4507b3b1b1f641191c93c7cdb0a3fff89dc4d7f972f","verdict":{"passed":1,"failed":0}}');

INSERT INTO evidence (seq, digest, level, connector, started, passed, failed, body) VALUES
    (1, 'c380478a9f4dce3f2073e4507b3b1b1f641191c93c7cdb0a3fff89dc4d7f972f', 1, 'github-issues', '2026-09-22T10:00:00Z', 1, 0,
     '{"connector":"github-issues","digest":"c380478a9f4dce3f2073e4507b3b1b1f641191c93c7cdb0a3fff89dc4d7f972f","level":1,"started":"2026-09-22T10:00:00Z","millis":12,"runner":"0.1.0","cases":[{"suite":"Issues","case":"creates one","place":{"file":"tests/issues.yaml","line":4,"column":5},"target":"actions/create-issue","outcome":"passed","micros":310}]}');

INSERT INTO plans (seq, epoch, at, size, body) VALUES (1, 3, '2026-09-22T10:00:00Z', 2, '{}');

INSERT INTO declarations (connector, key, body) VALUES ('github-issues', 'tree:1', '{}');

-- The content packs one file, `connector.yaml`, with the line `name: github-issues`.
INSERT INTO bundles (digest, connector, content) VALUES
    ('c380478a9f4dce3f2073e4507b3b1b1f641191c93c7cdb0a3fff89dc4d7f972f', 'github-issues',
     x'0e000000636f6e6e6563746f722e79616d6c140000006e616d653a206769746875622d6973737565730a');

INSERT INTO published (connector, version, digest, review, at) VALUES
    ('github-issues', '1.2.0', 'c380478a9f4dce3f2073e4507b3b1b1f641191c93c7cdb0a3fff89dc4d7f972f', 7, '2026-09-22T11:00:00Z');

INSERT INTO holdings (environment, connector, version, digest, since) VALUES
    ('test', 'github-issues', '1.2.0', 'c380478a9f4dce3f2073e4507b3b1b1f641191c93c7cdb0a3fff89dc4d7f972f', '2026-09-22T10:00:00Z'),
    ('production', 'github-issues', '1.2.0', 'c380478a9f4dce3f2073e4507b3b1b1f641191c93c7cdb0a3fff89dc4d7f972f', '2026-09-22T11:00:00Z');
