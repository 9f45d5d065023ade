import { type TSchema, Type } from "@sinclair/typebox";
import { strict } from "./shapes.ts";

/** Query fields of every list that answers by page number. */
export const pageFields = {
  currentPage: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1, description: "Counted from 1" }),
  ),
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
};

/** The shape of a page. `total` counts every match, on pages past the end too. */
export const Page = <Item extends TSchema>(item: Item) =>
  strict({
    items: Type.Array(item, { maxItems: 100 }),
    limit: Type.Integer({ minimum: 1, maximum: 100 }),
    offset: Type.Integer({ minimum: 0, maximum: 100_000_000 }),
    total: Type.Integer({ minimum: 0, maximum: 2_147_483_647 }),
  });

export type PageWindow = { limit: number; offset: number };

export const pageWindow = ({
  currentPage = 1,
  pageSize = 20,
}: {
  currentPage?: number;
  pageSize?: number;
}): PageWindow => ({
  limit: pageSize,
  offset: (currentPage - 1) * pageSize,
});

/** A page as JSON, from items that are JSON already, joined by commas. */
export const pageJson = (items: string, { limit, offset }: PageWindow, total: number): string =>
  `{"items":[${items}],"limit":${limit},"offset":${offset},"total":${total}}`;
