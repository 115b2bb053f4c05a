CREATE TABLE products (
    sku         text   PRIMARY KEY,
    name        text   NOT NULL,
    description text   NOT NULL,
    price_minor bigint NOT NULL CHECK (price_minor >= 0),
    currency    text   NOT NULL CHECK (length(currency) = 3),
    stock       int    NOT NULL CHECK (stock >= 0)
);

CREATE TABLE reservations (
    order_id   uuid        PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);
