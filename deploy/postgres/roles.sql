-- Roles and the database; run by psql as a superuser, on the database postgres, as often as one likes. Passwords come
-- from the environment and are set anew each time.
--   novafeed  owns the graph: the role of `serve`
--   cdc       what Debezium connects as: it reads the captured tables and the WAL, and beats in cdc_heartbeat
\set ON_ERROR_STOP on

-- The statements below hold the passwords: none of them goes to the server's log, however that is set.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;
SET log_min_duration_sample = -1;
SET log_transaction_sample_rate = 0;

\getenv app_password POSTGRES_APP_PASSWORD
\getenv cdc_password POSTGRES_CDC_PASSWORD

SELECT 'CREATE ROLE novafeed' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'novafeed') \gexec
SELECT 'CREATE ROLE cdc' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'cdc') \gexec
ALTER ROLE novafeed LOGIN PASSWORD :'app_password';
ALTER ROLE cdc LOGIN REPLICATION PASSWORD :'cdc_password';

SELECT 'CREATE DATABASE novafeed OWNER novafeed'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'novafeed') \gexec
REVOKE ALL ON DATABASE novafeed FROM PUBLIC;
GRANT CONNECT ON DATABASE novafeed TO cdc;
