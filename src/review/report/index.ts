/** @file The report of a run. */
export { type ReportInput, renderReport, reportListener, writeReport } from './report.ts'
