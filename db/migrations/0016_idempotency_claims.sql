-- Who runs the request: what it does about the key later must not touch the claim of a retry that took the key over.
alter table idempotency_keys add column claim_id uuid not null default uuidv7();
