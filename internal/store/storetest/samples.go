package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"tradepost/processes"
	"tradepost/tracking"
)

// day is when the samples happen.
var day = time.Date(2026, 3, 2, 10, 30, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

// update runs fn in one Update that must succeed.
func update(t testing.TB, s Store, fn func(ctx context.Context, tx processes.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), fn); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

// fill gives every field of *v a value of its own, so that a row that comes
// back equal has lost nothing, also of fields that are added later.
func fill(v any, seed int) {
	n := seed
	fillValue(reflect.ValueOf(v).Elem(), &n)
}

func fillValue(v reflect.Value, n *int) {
	*n++
	if v.CanAddr() {
		switch p := v.Addr().Interface().(type) {
		case *time.Time:
			*p = day.Add(time.Duration(*n) * time.Second)
			return
		case *json.RawMessage:
			*p = json.RawMessage(fmt.Sprintf(`{"n":%d}`, *n))
			return
		}
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text-%d é", *n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Bool:
		v.SetBool(*n%2 == 0)
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fillValue(v.Index(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(v.Elem(), n)
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fillValue(value, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key").Convert(v.Type().Key()), value)
	default:
		panic("storetest: no sample for a field of type " + v.Type().String())
	}
}

// transmission is an inbound one as intake stores it.
func transmission(s Store, key string) *tracking.Transmission {
	return &tracking.Transmission{
		ID: s.IDs().Next(), Direction: tracking.Inbound, State: tracking.TransmissionReceived, Station: "ACME", Partner: "buyer",
		Connection: "buyer-as2", Connector: "as2", Key: key, MessageID: "<" + key + "@buyer>", CreatedAt: day,
	}
}

// document is an inbound order.
func document(s Store, keys ...tracking.Key) *tracking.Document {
	return &tracking.Document{
		ID: s.IDs().Next(), Direction: tracking.Inbound, Partner: "buyer", Standard: "X12", Type: "850", Version: "004010",
		Control: "0001", State: tracking.DocumentReady, Ack: tracking.AckNone, Keys: keys, CreatedAt: day, UpdatedAt: day,
	}
}

// insertDocuments stores documents in one Update.
func insertDocuments(t testing.TB, s Store, docs ...*tracking.Document) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		for _, d := range docs {
			if err := tx.InsertDocument(ctx, d); err != nil {
				return err
			}
		}
		return nil
	})
}
