// Package processes works off what crosses the border of the station: intake
// (the one door in), processes made of steps, the engine that runs them with a
// checkpoint after every step, routes, the monitor of what is overdue, and the
// operations of people such as resend.
//
// The engine knows no EDI; the steps in processes/steps do.
package processes
