CREATE TABLE orders (
    id            uuid        PRIMARY KEY,
    status        text        NOT NULL CHECK (status IN ('placed', 'confirmed', 'rejected')),
    reason        text        NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL,
    claimed_until timestamptz
);

CREATE INDEX orders_open ON orders (created_at) WHERE status = 'placed';

CREATE TABLE order_lines (
    order_id   uuid   NOT NULL REFERENCES orders (id),
    position   int    NOT NULL,
    sku        text   NOT NULL,
    name       text   NOT NULL,
    quantity   int    NOT NULL CHECK (quantity > 0),
    unit_minor bigint NOT NULL,
    currency   text   NOT NULL,
    PRIMARY KEY (order_id, position)
);
