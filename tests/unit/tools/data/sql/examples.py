"""Statements over the shop of the tests: what people ask, and what should never run."""

ORDINARY = tuple(
    line.strip()
    for line in """
    SELECT * FROM orders
    SELECT id, total FROM public.orders WHERE customer_id = 1;
    SELECT count(*) FROM orders WHERE status <> 'paid'
    SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.id LIMIT 5
    SELECT c.name, sum(o.total) AS spent FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.name
    SELECT status, count(*) FILTER (WHERE total > 10) FROM orders GROUP BY status HAVING count(*) > 0
    SELECT date_trunc('month', placed_at) AS month, sum(total) FROM orders GROUP BY 1 ORDER BY 1
    SELECT extract(year FROM placed_at), avg(total)::numeric(10, 2) FROM orders GROUP BY 1
    SELECT id, row_number() OVER (PARTITION BY customer_id ORDER BY placed_at DESC) FROM orders
    SELECT id, lag(total) OVER w, lead(total, 1, 0) OVER w FROM orders WINDOW w AS (ORDER BY id)
    SELECT id, sum(total) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM orders
    WITH big AS (SELECT * FROM orders WHERE total > 20) SELECT count(*) FROM big
    WITH a (x, y) AS (SELECT id, total FROM orders), b AS (SELECT x FROM a) SELECT * FROM a JOIN b USING (x)
    SELECT * FROM (SELECT id FROM orders) AS inner_orders WHERE id IN (1, 2)
    SELECT * FROM customers WHERE EXISTS (SELECT 1 FROM orders WHERE orders.customer_id = customers.id)
    SELECT * FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)
    SELECT * FROM customers WHERE id = ANY(ARRAY[1, 2])
    SELECT name FROM customers WHERE name ILIKE '%ann%' OR name LIKE 'B_b%'
    SELECT name FROM customers WHERE name ~ '^A' AND name !~* 'z$'
    SELECT name FROM customers WHERE name SIMILAR TO '(A|B)%'
    SELECT name FROM customers WHERE email IS NULL OR email IS NOT NULL
    SELECT * FROM orders WHERE total BETWEEN 10 AND 20
    SELECT * FROM orders WHERE placed_at >= now() - INTERVAL '30 days'
    SELECT * FROM orders WHERE placed_at::date = current_date
    SELECT placed_at AT TIME ZONE 'Europe/Zurich' FROM orders
    SELECT CASE WHEN total > 20 THEN 'large' WHEN total > 5 THEN 'small' ELSE 'tiny' END FROM orders
    SELECT coalesce(email, 'none'), nullif(name, ''), greatest(1, 2), least(1, 2) FROM customers
    SELECT upper(name) || ' ' || lower(name), length(name), initcap(name), reverse(name) FROM customers
    SELECT substring(name FROM 1 FOR 2), substr(name, 2), left(name, 1), right(name, 1) FROM customers
    SELECT trim(BOTH ' ' FROM name), ltrim(name), rtrim(name), btrim(name, 'x') FROM customers
    SELECT position('a' IN name), strpos(name, 'a'), split_part(name, ' ', 1) FROM customers
    SELECT replace(name, 'a', 'b'), translate(name, 'a', 'b'), regexp_replace(name, '[aeiou]', '', 'g') FROM customers
    SELECT concat(name, ' ', email), concat_ws(', ', name, email), format('%s <%s>', name, email) FROM customers
    SELECT round(total, 1), ceil(total), floor(total), trunc(total), abs(total), mod(7, 3), power(2, 3) FROM orders
    SELECT sqrt(total), ln(total), exp(1), sign(total), div(7, 2), gcd(4, 6) FROM orders WHERE total > 0
    SELECT min(total), max(total), stddev(total), variance(total), count(DISTINCT customer_id) FROM orders
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total), mode() WITHIN GROUP (ORDER BY status) FROM orders
    SELECT string_agg(name, ', ' ORDER BY name), array_agg(id) FROM customers
    SELECT json_agg(name), jsonb_object_agg(id, name) FROM customers
    SELECT data->'size', data->>'color', data#>>'{size,0}', data @> '{"color": "red"}', data ? 'color' FROM orders
    SELECT jsonb_array_elements(data->'size') FROM orders
    SELECT key, value FROM orders, jsonb_each_text(data)
    SELECT json_build_object('id', id, 'total', total) FROM orders
    SELECT to_char(placed_at, 'YYYY-MM'), to_date('2026-01-01', 'YYYY-MM-DD'), to_number('12', '99') FROM orders
    SELECT make_date(2026, 1, 1), age(now(), placed_at), date_part('dow', placed_at) FROM orders
    SELECT unnest(tags) FROM orders
    SELECT tags[1], array_length(tags, 1), cardinality(tags), array_to_string(tags, ',') FROM orders
    SELECT * FROM generate_series(1, 5) AS g(n)
    SELECT d::date FROM generate_series('2026-01-01'::date, '2026-01-05', '1 day') AS d
    SELECT status FROM orders UNION SELECT name FROM customers ORDER BY 1
    SELECT id FROM customers EXCEPT SELECT customer_id FROM orders
    SELECT id FROM customers INTERSECT ALL SELECT customer_id FROM orders
    VALUES (1, 'a'), (2, 'b')
    SELECT DISTINCT ON (customer_id) customer_id, total FROM orders ORDER BY customer_id, total DESC NULLS LAST
    SELECT status, region, sum(total) FROM orders JOIN sales.regions USING (id) GROUP BY ROLLUP (status, region)
    SELECT * FROM orders o CROSS JOIN LATERAL (SELECT o.total * 2 AS twice) x
    SELECT * FROM orders OFFSET 1 LIMIT 1
    SELECT * FROM orders FETCH FIRST 2 ROWS ONLY
    SELECT 'it''s -- fine; /* really */ DROP TABLE x' AS words
    SELECT "total" AS "Total of it" FROM orders AS "o"
    SELECT id FROM orders WHERE (customer_id, status) IN ((1, 'paid'), (2, 'open'))
    SELECT (SELECT max(total) FROM orders) AS most, id FROM customers
    SELECT id IS DISTINCT FROM 1, NOT true, -id, +id, id % 2, id ^ 2, id & 1, id | 1, id << 1 FROM orders
    SELECT total::text, CAST(total AS integer), total::numeric FROM orders
    SELECT md5(name), starts_with(name, 'A'), regexp_matches(name, 'n') FROM customers
    SELECT to_tsvector('english', name) @@ plainto_tsquery('english', 'ann') FROM customers
    SELECT rank() OVER (ORDER BY id), ntile(4) OVER (ORDER BY id), first_value(id) OVER (ORDER BY id) FROM orders
    SELECT sum(CASE WHEN status = 'paid' THEN 1 ELSE 0 END) * 100.0 / count(*) FROM orders
    SELECT state::order_state FROM orders
    TABLE orders
    SELECT * FROM ORDERS AS O WHERE O.ID = 1
    SELECT Id FROM "orders" JOIN Sales.Regions USING (ID)
    SELECT c.name, o."status" AS user FROM customers c, orders o
    SELECT orders.id, public.orders.total, sales.regions.region FROM orders, sales.regions
    SELECT x.count, x.id FROM (SELECT id, count(*) FROM orders GROUP BY id) AS x
    SELECT t.date, t.version FROM (VALUES (1, 2)) AS t (date, version)
    WITH a (version) AS (SELECT 1), b AS (SELECT a.*, 1 AS timeofday FROM a) SELECT b.version, b.timeofday FROM b
    WITH a AS (SELECT name FROM customers) SELECT a.name FROM a WHERE EXISTS (SELECT 1 FROM a b WHERE b.name = a.name)
    SELECT format('%-10s|%2$10s|%1$s %%9999', name, email) FROM customers
    SELECT d.d, e.value, e.ordinality FROM generate_series(1, 2) AS d, jsonb_array_elements('[1]') WITH ORDINALITY AS e
    SELECT (placed_at, placed_at) OVERLAPS (placed_at, now()) FROM orders
    SELECT CURRENT_TIMESTAMP(0), localtime(1), current_time, localtimestamp(2), clock_timestamp() FROM orders
    SELECT id FROM orders WHERE id = 0x1F OR id = 31
    WITH orders AS (SELECT 1 AS n) SELECT n FROM orders
    SELECT (WITH a AS (SELECT 1 AS n) SELECT n FROM a) FROM orders
    SELECT repeat.a FROM orders AS repeat (a)
    SELECT r.id, repeat.n FROM orders r, LATERAL (SELECT r.id) repeat(n)
    WITH repeat (a, b) AS (SELECT 1, 2), lpad(c) AS NOT MATERIALIZED (VALUES (3)) SELECT a, c FROM repeat, lpad
    WITH repeat (a) AS (SELECT 1) SELECT repeat.b FROM repeat AS repeat (b)
    SELECT decrypt.a, decrypt.b FROM generate_series(1, 2) WITH ORDINALITY AS decrypt (a, b)
    SELECT u.v, u.place FROM orders o CROSS JOIN LATERAL unnest(o.tags) WITH ORDINALITY u(v, place)
    SELECT repeat.a FROM (VALUES (1, 2)) repeat (a, b) UNION ALL SELECT lpad.n FROM (SELECT 3) AS lpad (n)
    SELECT REPEAT.a FROM (orders o JOIN customers c ON c.id = o.customer_id) AS Repeat (a, b)
    SELECT 'Zürich', repeat.a FROM (SELECT 'ü') AS repeat (a) WHERE repeat.a <> 'repeat(a)'
    SELECT n FROM orders AS repeat (n) WHERE EXISTS (SELECT 1 FROM customers AS repeat (m) WHERE m = n)
    """.splitlines()
    if line.strip()
)

HOSTILE = tuple(
    line.strip()
    for line in r"""
    INSERT INTO orders (id) VALUES (99)
    UPDATE orders SET total = 0
    DELETE FROM orders
    TRUNCATE orders
    DROP TABLE orders
    CREATE TABLE x (a int)
    CREATE TABLE x AS SELECT * FROM orders
    ALTER TABLE orders ADD COLUMN x int
    GRANT ALL ON orders TO public
    MERGE INTO orders USING customers ON true WHEN MATCHED THEN DELETE
    COPY orders TO '/tmp/x'
    COPY (SELECT 1) TO PROGRAM 'id'
    SELECT 1; DROP TABLE orders
    SELECT 1; SELECT 2
    ; ; SELECT 1; DELETE FROM orders
    SELECT 1 -- comment
    SELECT 1 /* comment */
    SELECT /*! x */ 1
    SELECT 1 /* a /* nested */ b */; DELETE FROM orders
    WITH x AS (DELETE FROM orders RETURNING *) SELECT * FROM x
    WITH x AS (UPDATE orders SET total = 0 RETURNING *) SELECT * FROM x
    WITH x AS (INSERT INTO orders (id) VALUES (9) RETURNING *) SELECT * FROM x
    SELECT * INTO stolen FROM orders
    SELECT * FROM orders FOR UPDATE
    SELECT * FROM orders FOR NO KEY UPDATE
    SELECT * FROM orders FOR SHARE SKIP LOCKED
    WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r
    SELECT set_config('default_transaction_read_only', 'off', false)
    SELECT set_config('pentad.tenant', 'other', true)
    SELECT current_setting('data_directory')
    SET default_transaction_read_only = off
    SET ROLE postgres
    RESET ALL
    BEGIN
    COMMIT
    SHOW ALL
    SELECT pg_sleep(100)
    SELECT pg_read_file('/etc/passwd')
    SELECT pg_catalog.pg_read_file('/etc/passwd')
    SELECT "pg_read_file"('/etc/passwd')
    SELECT PG_READ_FILE ('/etc/passwd')
    SELECT pg_ls_dir('/')
    SELECT pg_stat_file('/etc/passwd')
    SELECT lo_import('/etc/passwd')
    SELECT lo_export(1, '/tmp/x')
    SELECT lo_get(1)
    SELECT pg_terminate_backend(1)
    SELECT pg_advisory_lock(1)
    SELECT pg_notify('a', 'b')
    SELECT nextval('orders_id_seq')
    SELECT setval('orders_id_seq', 1)
    SELECT dblink('host=evil', 'SELECT 1')
    SELECT * FROM dblink('host=evil', 'SELECT 1') AS t(a int)
    SELECT query_to_xml('DELETE FROM orders', true, true, '')
    SELECT database_to_xml(true, true, '')
    SELECT ts_stat('SELECT 1')
    SELECT repeat('x', 1000000000)
    SELECT lpad('x', 1000000000)
    SELECT * FROM pg_catalog.pg_shadow
    SELECT * FROM pg_user
    SELECT * FROM pg_stat_activity
    SELECT * FROM information_schema.tables
    SELECT * FROM "pg_catalog"."pg_authid"
    SELECT * FROM secrets
    SELECT * FROM public.secrets
    SELECT * FROM "Orders"
    SELECT * FROM other.orders
    SELECT * FROM otherdb.public.orders
    SELECT (SELECT password FROM secrets LIMIT 1) FROM orders
    SELECT * FROM orders WHERE id IN (SELECT id FROM secrets)
    SELECT * FROM orders UNION SELECT * FROM secrets
    WITH orders2 AS (SELECT * FROM secrets) SELECT * FROM orders2
    SELECT 'secrets'::regclass
    SELECT 'pg_read_file'::regproc
    SELECT CAST('secrets' AS regclass)
    SELECT current_user
    SELECT session_user
    SELECT version()
    SELECT inet_server_addr()
    SELECT has_table_privilege('secrets', 'SELECT')
    SELECT E'\x27; DELETE FROM orders'
    SELECT U&'\0027'
    SELECT $$text$$
    SELECT $a$ ; DELETE FROM orders; $a$
    SELECT 1 OPERATOR(pg_catalog.+) 2
    EXPLAIN ANALYZE DELETE FROM orders
    EXPLAIN SELECT 1
    CALL do_it()
    DO 'BEGIN DELETE FROM orders; END'
    EXECUTE stmt
    PREPARE x AS SELECT 1
    DECLARE c CURSOR FOR SELECT 1
    LISTEN x
    VACUUM
    LOCK TABLE orders
    CREATE FUNCTION f() RETURNS int AS 'SELECT 1' LANGUAGE sql
    SELECT shop_wipe()
    SELECT public.shop_wipe()
    SELECT * FROM shop_wipe()
    WITH shop_wipe (a) AS (SELECT 1) SELECT shop_wipe()
    SELECT * FROM ROWS FROM (shop_wipe())
    SELECT 'a' \gexec
    SELECT `a`
    SELECT $1::text, $x
    SELECT * FROM orders) AS q) AS x; DELETE FROM orders; SELECT (((1
    SELECT * FROM orders) UNION (SELECT * FROM secrets
    SELECT p.pg_sleep FROM generate_series(1, 2) p
    SELECT p."pg_sleep" FROM generate_series(1, 2) p
    SELECT p . PG_SLEEP FROM generate_series(1, 2) AS p
    SELECT t.lo_creat FROM unnest(ARRAY[-1]) t
    SELECT t.lo_get FROM (SELECT 1 AS n) t
    SELECT t.pg_terminate_backend FROM (VALUES (1)) AS t(n)
    SELECT 1 FROM orders o WHERE o.pg_export_snapshot IS NULL
    SELECT 1 FROM orders ORDER BY orders.pg_sleep
    SELECT public.orders.pg_sleep FROM orders
    WITH a AS (SELECT -1 AS n) SELECT a.lo_creat FROM a
    SELECT (t).pg_sleep FROM generate_series(1, 2) t
    SELECT (t).shop_name FROM orders t
    SELECT ((t)).id FROM orders t
    SELECT (t).* FROM orders t
    SELECT tags[1].pg_sleep FROM orders
    SELECT $1.pg_sleep
    SELECT (ARRAY[1])[1].pg_sleep
    SELECT (SELECT o FROM orders o LIMIT 1).shop_name
    SELECT ROW(1, 2).f1
    SELECT user
    SELECT USER FROM orders
    SELECT current_role
    SELECT system_user
    SELECT current_catalog, current_schema
    SELECT id FROM orders WHERE status = user
    WITH a AS (SELECT * FROM secrets), secrets AS (SELECT 1) SELECT * FROM a
    WITH a AS (SELECT 1), b AS (SELECT * FROM (SELECT * FROM secrets) x), secrets AS (SELECT 1) SELECT * FROM b
    WITH secrets AS (SELECT * FROM secrets) SELECT * FROM secrets
    SELECT * FROM (WITH secrets AS (SELECT 1 AS n) SELECT n FROM secrets) x, secrets
    SELECT (WITH secrets AS (SELECT 1) SELECT 1) FROM secrets
    WITH "Secrets" AS (SELECT 1) SELECT * FROM secrets
    WITH secrets AS (SELECT 1) SELECT * FROM public.secrets
    WITH b AS (WITH secrets AS (SELECT 1) SELECT 1) SELECT * FROM secrets
    SELECT ٣ FROM orders
    SELECT format('%300000000s', 'a')
    SELECT format('%1$-300000000s', 'a')
    SELECT format('%*s', 300000000, 'a')
    SELECT format($1, 'a')
    SELECT format(status, 'a') FROM orders
    SELECT format('%3' || '00000000s', 'a')
    SELECT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa FROM orders
    SELECT repeat('x', 3) FROM orders AS repeat
    SELECT repeat('x', 3) FROM orders repeat
    SELECT repeat('x', 3) FROM orders AS repeat (a)
    SELECT REPEAT('x', 3) FROM orders AS "repeat"
    SELECT repeat(repeat.b, 3) FROM (VALUES (1, 'x')) AS repeat (a, b)
    SELECT repeat.n FROM (SELECT repeat(name, 3) FROM customers) AS repeat (n)
    SELECT a FROM orders AS repeat (a) WHERE EXISTS (SELECT repeat('x', 3))
    SELECT a FROM orders AS repeat (a) ORDER BY repeat('x', 3)
    SELECT * FROM orders AS repeat (a), repeat('x', 3)
    SELECT * FROM orders AS repeat (a), repeat('x', 3) AS b
    SELECT * FROM orders AS repeat (a) CROSS JOIN LATERAL repeat('x', 3) AS b (c)
    SELECT * FROM repeat('x', 3) AS repeat (repeat)
    SELECT * FROM orders AS repeat (a) OFFSET repeat(1, 2)
    SELECT * FROM orders AS repeat (a) FETCH FIRST repeat(1, 2) ROWS ONLY
    WITH repeat AS (SELECT 1 AS n) SELECT repeat('x', 3) FROM repeat
    WITH repeat (a) AS (SELECT 1) SELECT repeat('x', 3) FROM repeat
    WITH repeat (a) AS (SELECT repeat('x', 3)) SELECT a FROM repeat
    WITH repeat (a) AS (SELECT 1), b (c) AS (SELECT repeat('x', 3)) SELECT c FROM b
    WITH a AS (SELECT 1 AS n) SELECT current_database() FROM a AS current_database
    WITH current_database (n) AS (SELECT 1) SELECT current_database() FROM current_database
    SELECT decrypt('a', 'b', 'aes') FROM orders decrypt
    SELECT decrypt('a', 'b', 'aes') FROM generate_series(1, 2) WITH ORDINALITY AS decrypt (a, b)
    SELECT set_config('a.b', 'c', true) FROM (SELECT 1) AS set_config (a)
    SELECT nextval('orders_id_seq') FROM orders AS o JOIN customers AS nextval (a, b, c) ON nextval.a = o.id
    SELECT xmlparse.a FROM orders AS xmlparse (a), query_to_xml('SELECT 1', true, true, '') AS query_to_xml
    SELECT shop_wipe() FROM orders AS shop_wipe
    SELECT pg_sleep.a FROM orders AS pg_sleep (a)
    """.splitlines()
    if line.strip()
)

CALLS_IN_DISGUISE = tuple(
    line.strip()
    for line in """
    SELECT t.ts_stat FROM unnest(ARRAY['SELECT to_tsvector(password) FROM secrets']) t
    SELECT t.txid_status FROM unnest(ARRAY[1]) t
    SELECT t.shop_name FROM orders t
    SELECT t."shop_name" FROM (SELECT * FROM orders) t
    SELECT x.shop_name FROM (SELECT o.* FROM orders o, customers c) x
    SELECT orders.shop_name FROM orders
    SELECT public.orders.shop_name FROM orders
    SELECT id FROM orders o WHERE o.shop_name IS NULL
    SELECT id FROM orders o ORDER BY o.shop_name
    SELECT count(*) FROM orders o GROUP BY o.shop_name
    WITH a AS (SELECT * FROM orders) SELECT a.shop_name FROM a
    WITH a AS (SELECT 1 AS txid_status), b AS (SELECT 1 AS n) SELECT a.txid_status, b.txid_status FROM a, b
    SELECT t.txid_status FROM (VALUES (1)) t(txid_status) WHERE EXISTS (SELECT t.txid_status FROM unnest(ARRAY[1]) t)
    SELECT j.shop_name FROM (orders o JOIN customers c USING (id)) AS j
    SELECT s.txid_status FROM orders o CROSS JOIN LATERAL (SELECT o.id) s
    SELECT t.shop_name FROM orders t UNION SELECT 1
    SELECT id FROM orders o JOIN customers c ON c.id = o.shop_name
    SELECT sum(o.shop_name) OVER (ORDER BY o.id) FROM orders o
    """.splitlines()
    if line.strip()
)
"""What only the database can tell from columns; ``shop_name`` is a function of the shop's own."""
