/** @file The report of a run. */
export { type ReportInput, renderReport, writeReport } from './report.ts'
