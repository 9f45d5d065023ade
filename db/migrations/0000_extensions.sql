-- Trigram similarity for searches that forgive typing errors; unaccent so that accents do not matter.
create extension if not exists pg_trgm;--> statement-breakpoint
create extension if not exists unaccent;--> statement-breakpoint
-- How every searched text and every question is brought into one form. The wrapper is immutable because it names its
-- dictionary, which unaccent(text) alone does not.
create function search_form(value text) returns text
  language sql immutable strict parallel safe
  return lower(public.unaccent('public.unaccent'::regdictionary, value));
