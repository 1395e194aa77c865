-- Sample data of schema 3: the lease that the polled trigger's process gave back.
INSERT INTO trigger_leases (environment, connector, trigger, epoch, holder, held_until) VALUES
    ('test', 'github-issues', 'issue-opened', 4, 'process 4711', 0);
