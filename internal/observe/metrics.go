package observe

import (
	"context"
	"errors"
	"net/http"
	"time"

	"tradepost/transport"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the gateway's numbers for Prometheus, on a registry of their own.
type Metrics struct {
	registry *prometheus.Registry
	steps    *prometheus.HistogramVec
	arrivals *prometheus.CounterVec
	trouble  prometheus.Counter
}

// NewMetrics makes the metrics, with those of the Go runtime and the process.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tradepost_step_seconds", Help: "Time of one attempt at one step of a process.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 10),
		}, []string{"process", "step", "outcome"}),
		arrivals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tradepost_arrivals_total", Help: "Transmissions that came to the door, by what became of them.",
		}, []string{"connection", "outcome"}),
		trouble: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tradepost_trouble_total", Help: "Failures of the engine's surroundings, such as a store that does not answer.",
		}),
	}
	m.registry.MustRegister(m.steps, m.arrivals, m.trouble,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics in Prometheus' text form.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Sink counts and logs what passes the door.
type Sink struct {
	Next   transport.Sink
	Engine Engine
	Now    func() time.Time
}

var _ transport.Sink = Sink{}

// Accept implements transport.Sink.
func (s Sink) Accept(ctx context.Context, a *transport.Arrival) (*transport.Acceptance, error) {
	start := s.Now()
	acceptance, err := s.Next.Accept(ctx, a)
	var used *transport.NameUsedError
	if errors.As(err, &used) || errors.Is(err, transport.ErrNeverAccepted) {
		return nil, err // what becomes of it comes through here as well
	}
	attrs := []any{"connection", a.Connection, "partner", a.Partner, "messageId", a.MessageID, "took", s.Now().Sub(start).Round(time.Microsecond)}
	outcome := "accepted"
	switch {
	case err != nil:
		outcome = "error"
		s.Engine.Log.Error("arrival could not be recorded", append(attrs, "error", err)...)
	case a.Refused != "":
		outcome = "refused"
		s.Engine.Log.Warn("arrival refused and kept", append(attrs, "transmission", acceptance.ID, "reason", a.Refused)...)
	case acceptance.Duplicate:
		outcome = "duplicate"
		s.Engine.Log.Info("arrival is a duplicate", append(attrs, "transmission", acceptance.ID)...)
	default:
		s.Engine.Log.Info("arrival accepted", append(attrs, "transmission", acceptance.ID)...)
	}
	s.Engine.Metrics.arrivals.WithLabelValues(a.Connection, outcome).Inc()
	return acceptance, err
}
