-- Loads $DEED_IN/fresh, unless the task was here before; prints how many orders came of it either way.
\set ON_ERROR_STOP on

BEGIN;

-- An attempt that finds its name here has nothing to do. One that finds it in a transaction that is still open, that of
-- an attempt which was thought dead, waits here until it is known how that one ends.
WITH mine AS (INSERT INTO loads (task) VALUES (:'task') ON CONFLICT DO NOTHING RETURNING task)
SELECT count(*) AS first FROM mine \gset

\if :first
    CREATE TEMPORARY TABLE batch (LIKE orders) ON COMMIT DROP;
    ALTER TABLE batch DROP COLUMN task;
    \copy batch FROM PROGRAM 'cat "$DEED_IN/fresh"' (FORMAT csv, HEADER, ENCODING 'utf8')
    INSERT INTO orders SELECT batch.*, :'task' FROM batch;
\endif

COMMIT;

SELECT count(*) FROM orders WHERE task = :'task';
