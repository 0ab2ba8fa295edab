/** @file The report of a run. */
export { renderReport, reportListener, writeReport } from './report.ts'
