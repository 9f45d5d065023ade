import type { Db } from "#db/client.ts";
import { createdJson, noContent, okJson } from "../http/reply.ts";
import { type Operation, operation } from "../operations/operation.ts";
import { listClientsJson, listTrainersJson } from "./clients.queries.ts";
import {
  Acceptance,
  Client,
  ClientId,
  Clients,
  ListClients,
  NewClient,
  ScopesChange,
} from "./clients.schemas.ts";
import {
  acceptTrainer,
  changeScopes,
  inviteClient,
  leaveTrainer,
  removeClient,
} from "./clients.service.ts";

const tag = "Trainers";
const clientsPath = "/api/v1/clients";
const trainersPath = "/api/v1/trainers";
const absent = { 404: "There is no such one of the asker's, or it has ended" };

/** Operations of trainers on their clients. */
export function clientRoutes({ db }: { db: Db }): Operation[] {
  const access = "trainer";
  return [
    operation(
      "POST",
      clientsPath,
      {
        id: "InviteClient",
        tag,
        access,
        summary: "Ask somebody to become one's client",
        body: NewClient,
        answers: { 201: Client },
        problems: { 404: "Nobody has that address", 409: "They were invited already" },
      },
      async ({ actor, body }) => createdJson(await inviteClient(db, actor, body)),
    ),
    operation(
      "GET",
      clientsPath,
      {
        id: "ListClients",
        tag,
        access,
        summary: "List one's clients and invitations, ended ones too",
        query: ListClients,
        answers: { 200: Clients },
      },
      async ({ actor, query }) => okJson(await listClientsJson(db, actor.userId, query)),
    ),
    operation(
      "DELETE",
      `${clientsPath}/:clientId`,
      {
        id: "EndClient",
        isDetached: true,
        tag,
        access,
        summary: "Let a client go, or take an invitation back",
        params: ClientId,
        answers: { 204: null },
        problems: absent,
      },
      async ({ actor, params }) => {
        await removeClient(db, actor, params.clientId);
        return noContent();
      },
    ),
  ];
}

/** Operations of clients on their trainers. */
export function trainerRoutes({ db }: { db: Db }): Operation[] {
  const access = "active";
  return [
    operation(
      "GET",
      trainersPath,
      {
        id: "ListTrainers",
        tag,
        access,
        summary: "List one's trainers and their invitations, ended ones too",
        query: ListClients,
        answers: { 200: Clients },
      },
      async ({ actor, query }) => okJson(await listTrainersJson(db, actor.userId, query)),
    ),
    operation(
      "POST",
      `${trainersPath}/:clientId/accept`,
      {
        id: "AcceptTrainer",
        tag,
        access,
        summary: "Accept a trainer's invitation, for all or some of what it asks for",
        params: ClientId,
        body: Acceptance,
        answers: { 200: Client },
        problems: { ...absent, 409: "It was accepted already" },
      },
      async ({ actor, params, body }) =>
        okJson(await acceptTrainer(db, actor, params.clientId, body.scopes)),
    ),
    operation(
      "PATCH",
      `${trainersPath}/:clientId`,
      {
        id: "ChangeTrainerScopes",
        isDetached: true,
        tag,
        access,
        summary: "Change what a trainer may do, within what the invitation asked for",
        params: ClientId,
        body: ScopesChange,
        answers: { 200: Client },
        problems: { ...absent, 409: "It was not accepted yet" },
      },
      async ({ actor, params, body }) =>
        okJson(await changeScopes(db, actor, params.clientId, body.scopes)),
    ),
    operation(
      "DELETE",
      `${trainersPath}/:clientId`,
      {
        id: "EndTrainer",
        isDetached: true,
        tag,
        access,
        summary: "Leave a trainer, or decline an invitation",
        params: ClientId,
        answers: { 204: null },
        problems: absent,
      },
      async ({ actor, params }) => {
        await leaveTrainer(db, actor, params.clientId);
        return noContent();
      },
    ),
  ];
}
