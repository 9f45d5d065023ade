import { totalmem } from "node:os";
import { join } from "node:path";

/** PostgreSQL's configuration in production. */
export const CONFIGURATION = join(import.meta.dir, "../postgres/postgresql.conf");

const GIBIBYTE = 2 ** 30;

/**
 * What it is told besides on a small machine, most of which the reference host's share would be.
 */
export const SMALL: Record<string, string> =
  totalmem() < 15 * GIBIBYTE ? { shared_buffers: "256MB", effective_cache_size: "1GB" } : {};
