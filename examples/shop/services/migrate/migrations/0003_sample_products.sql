INSERT INTO products (sku, name, description, price_minor, currency, stock) VALUES
    ('grinder',   'Hand grinder',     'Steel burrs, forty clicks.',            7490, 'EUR',  12),
    ('kettle',    'Gooseneck kettle', '0.8 litres, pours where you point it.', 5900, 'EUR',  20),
    ('mug-blue',  'Blue mug',         'Stoneware, 300 ml.',                    1250, 'EUR', 100),
    ('mug-white', 'White mug',        'Stoneware, 300 ml.',                    1150, 'EUR', 100),
    ('scale',     'Brewing scale',    'Weighs to 0.1 g and keeps the time.',   3995, 'EUR',   3);
