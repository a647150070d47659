-- What load.sql needs. There is no unique key on orders.id, which would hide what this example is about: that nothing
-- is loaded twice in the first place.

CREATE TABLE loads (
    task text PRIMARY KEY,      -- as deed calls it: ID/database/load[3]
    at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE orders (
    id       bigint NOT NULL,
    customer text NOT NULL,
    item     text NOT NULL,
    cents    bigint NOT NULL,
    placed   timestamptz NOT NULL,
    task     text NOT NULL REFERENCES loads
);
