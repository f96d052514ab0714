import type { components } from "@/generated/api.ts";

type Schemas = components["schemas"];

export type AccountRow = Schemas["AccountRow"];
export type AskRow = Schemas["AskRow"];
export type AskMessage = Schemas["AskMessage"];
export type AuditReport = Schemas["AuditReport"];
export type ConcentrationAnswer = Schemas["ConcentrationAnswer"];
export type CommandExample = Schemas["CommandExample"];
export type Config = Schemas["Config"];
export type DisputeRow = Schemas["DisputeRow"];
export type EventRow = Schemas["EventRow"];
export type Example = Schemas["Example"];
export type ExampleFile = Schemas["ExampleFile"];
export type Health = Schemas["Health"];
export type JobOutputs = Schemas["JobOutputs"];
export type JobRow = Schemas["JobRow"];
export type OperationRow = Schemas["OperationRow"];
export type OutputFile = Schemas["OutputFile"];
export type ProviderRow = Schemas["ProviderRow"];
export type PriceRow = Schemas["PriceRow"];
export type QuoteRequestMessage = Schemas["QuoteRequestMessage"];
export type QuoteRequestRow = Schemas["QuoteRequestRow"];
export type QuoteRequestStatement = Schemas["QuoteRequestStatement"];
export type QuoteStatement = Schemas["QuoteStatement"];
export type StatisticsRow = Schemas["StatisticsRow"];
export type TermsMessage = Schemas["TermsMessage"];
