package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sort"
	"strings"
	"time"
)

// Duration is a time.Duration that settings write as "90s" or "1h30m".
type Duration time.Duration

// UnmarshalJSON reads a string that time.ParseDuration understands.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return errors.New(`want a duration in quotes, such as "30s" or "5m"`)
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf(`%q is no duration: write "30s", "5m" or "1h30m"`, s)
	}
	*d = Duration(v)
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (d Duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(d).String())
}

// DecodeSettings reads the settings of c into a pointer to a struct with json
// tags. Every field must be known, spelt exactly, and of its type; the error is
// a *SettingsError with the path of the first that is not. No settings at all
// are an empty object.
func DecodeSettings(c Connection, into any) error {
	raw := bytes.TrimSpace(c.Settings)
	if len(raw) == 0 {
		raw = []byte("{}")
	}
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("transport: settings of connection %s: decode into %T: want a pointer to a struct", c.Name, into)
	}
	if err := decodeStruct(raw, v.Elem(), ""); err != nil {
		err.Connection = c.Name
		return err
	}
	return nil
}

// decodeStruct fills v, field by field, so that each error knows its path.
func decodeStruct(raw []byte, v reflect.Value, path string) *SettingsError {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		return &SettingsError{Path: orRoot(path), Msg: "want an object of settings"}
	}
	fields := map[string]reflect.Value{}
	var known []string
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if name != "" && name != "-" {
			fields[name] = v.Field(i)
			known = append(known, name)
		}
	}
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		at := name
		if path != "" {
			at = path + "." + name
		}
		f, ok := fields[name]
		if !ok {
			return &SettingsError{Path: at, Msg: "unknown setting: known are " + strings.Join(known, ", ")}
		}
		if err := decodeField(members[name], f, at); err != nil {
			return err
		}
	}
	return nil
}

// decodeField fills one field; structs are walked, unless they read themselves.
func decodeField(raw json.RawMessage, f reflect.Value, path string) *SettingsError {
	_, self := f.Addr().Interface().(json.Unmarshaler)
	switch {
	case self:
	case f.Kind() == reflect.Struct:
		return decodeStruct(raw, f, path)
	case f.Kind() == reflect.Pointer && f.Type().Elem().Kind() == reflect.Struct:
		if string(raw) == "null" {
			return nil
		}
		f.Set(reflect.New(f.Type().Elem()))
		return decodeStruct(raw, f.Elem(), path)
	}
	if err := json.Unmarshal(raw, f.Addr().Interface()); err != nil {
		msg := err.Error()
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			msg = fmt.Sprintf("want %s, not a JSON %s", wrong.Type, wrong.Value)
		}
		return &SettingsError{Path: path, Msg: msg}
	}
	return nil
}

func orRoot(path string) string {
	if path == "" {
		return "settings"
	}
	return path
}
