-- Each process finds the catalog's exercises by their words itself (ADR 0029); one's own were never in this index.
DROP INDEX "exercises_system_search_index";
