-- While a row is there that is settled, the table was not emptied within the time of a lease (docs/adr/0004).
ALTER TABLE "live_processes" ADD COLUMN "is_settled" boolean DEFAULT false NOT NULL;
