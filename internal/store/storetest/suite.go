// Package storetest is the conformance suite of stores: what processes.Store
// promises, asked of a real database. Every database passes it whole.
package storetest

import (
	"context"
	"testing"
	"time"

	"tradepost/processes"
	"tradepost/tracking"
)

// Store is what the suite examines.
type Store interface {
	processes.Store
	IDs() *tracking.IDs
	Ping(ctx context.Context) error

	SaveToken(ctx context.Context, hash []byte, kind string, expires time.Time) error
	UseToken(ctx context.Context, hash []byte, kind string) (bool, error)
	SaveSession(ctx context.Context, hash []byte, user string, expires time.Time) error
	Session(ctx context.Context, hash []byte) (user string, ok bool, err error)
	DeleteSession(ctx context.Context, hash []byte) error
}

// Open opens an empty store for one test and has the test close it.
type Open func(t testing.TB) Store

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s Store)
	}{
		{"every field of every row comes back", testRoundTrips},
		{"what is not there is not found", testNotFound},
		{"texts that are not UTF-8 are kept readable", testForeignTexts},
		{"texts of any length are kept", testLongTexts},
		{"an accepted transmission is accepted once", testDuplicate},
		{"of many that bring the same transmission one is accepted", testDuplicateRace},
		{"open transmissions by Message-ID", testOpenTransmissions},
		{"the first receipt is the earliest", testFirstReceipt},
		{"acknowledgements find what was sent", testSent},
		{"documents of group, source and delivery", testDocumentsOf},
		{"an overdue acknowledgement is raised once per due time", testOverdueAcks},
		{"outbound control numbers never repeat", testNextControl},
		{"inbound control numbers are remembered", testRememberControl},

		{"an update that fails leaves nothing", testUpdateFails},
		{"an update that fails harms no neighbour", testUpdateFailsAlone},
		{"an update that panics harms no neighbour", testUpdatePanics},
		{"an update inside an update is refused", testNested},
		{"a cancelled update leaves nothing", testUpdateCancelled},
		{"read, change and write loses nobody's change", testNoLostUpdate},
		{"parents come first", testParents},

		{"a lane is worked first in, first out", testLaneOrder},
		{"a lane has one job in flight", testOneInFlight},
		{"lanes run beside each other", testLanesApart},
		{"a retry holds its lane", testRetryHolds},
		{"a burial frees its lane", testBuryFrees},
		{"a dead letter comes back as the last", testRevive},
		{"a lease that ran out is claimed again, with a higher fence", testLeaseRunsOut},
		{"an extended lease holds", testExtend},
		{"a job is not claimed before its time", testRunAt},
		{"a paused lane rests", testPause},
		{"a stopping worker gives its jobs back", testRelease},
		{"lanes tell their state", testLanes},
		{"many workers work every job once and in order", testManyWorkers},
		{"work wakes the dispatcher", testWake},

		{"documents by every filter", testDocumentFilters},
		{"documents by search text", testDocumentText},
		{"pages join up", testPages},
		{"transmissions by every filter", testTransmissionFilters},
		{"a document's view is complete", testDocumentView},
		{"a transmission's view is complete", testTransmissionView},
		{"runs with their steps", testRuns},
		{"a follower misses no event", testEvents},
		{"the summary adds up", testSummary},

		{"certificate offers", testCertificateOffers},
		{"a notice about a certificate is given once", testCertificateNotices},
		{"which certificates are used is told by the evidence", testCertificateUses},

		{"tokens and sessions", testAuth},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}
