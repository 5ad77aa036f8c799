package api

import (
	"os"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"

	"tradepost/internal/api/problem"
	"tradepost/internal/console/sample"
	"tradepost/processes"
	"tradepost/processes/queue"
	"tradepost/tracking"

	"github.com/goccy/go-yaml"
)

// description is what the test reads of docs/openapi.yaml.
type description struct {
	OpenAPI string                          `yaml:"openapi"`
	Paths   map[string]map[string]operation `yaml:"paths"`
	Parts   struct {
		Schemas    map[string]object    `yaml:"schemas"`
		Parameters map[string]parameter `yaml:"parameters"`
	} `yaml:"components"`
}

type operation struct {
	ID         string            `yaml:"operationId"`
	Summary    string            `yaml:"summary"`
	Parameters []parameter       `yaml:"parameters"`
	Responses  map[string]any    `yaml:"responses"`
	Security   *[]map[string]any `yaml:"security"`
}

type parameter struct {
	Ref  string `yaml:"$ref"`
	Name string `yaml:"name"`
	In   string `yaml:"in"`
}

type object struct {
	Properties map[string]any `yaml:"properties"`
	Enum       []string       `yaml:"enum"`
}

func readDescription(t *testing.T) (*description, string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var d description
	if err := yaml.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return &d, string(text)
}

func TestTheDescriptionListsTheRoutes(t *testing.T) {
	t.Parallel()
	d, _ := readDescription(t)
	if d.OpenAPI != "3.1.0" {
		t.Errorf("openapi is %q", d.OpenAPI)
	}
	s := sample.Day()
	svc, err := newService(Config{Data: s, Archive: s, Runs: s, Queue: s})
	if err != nil {
		t.Fatal(err)
	}
	var registered, listed []string
	for _, r := range svc.routes() {
		registered = append(registered, r.method+" "+r.path)
	}
	ids := map[string]bool{}
	for path, ops := range d.Paths {
		for method, op := range ops {
			if method == "parameters" {
				continue
			}
			listed = append(listed, strings.ToUpper(method)+" "+path)
			if op.ID == "" || ids[op.ID] || op.Summary == "" {
				t.Errorf("%s %s: operationId %q is missing or used twice, or there is no summary", method, path, op.ID)
			}
			ids[op.ID] = true
			inPath := 0
			for _, p := range d.parameters(op) {
				if p.In == "path" {
					inPath++
					if !strings.Contains(path, "{"+p.Name+"}") {
						t.Errorf("%s has no {%s}", path, p.Name)
					}
				}
			}
			if inPath != strings.Count(path, "{") {
				t.Errorf("%s describes %d of its path parameters", path, inPath)
			}
			if open := op.Security != nil && len(*op.Security) == 0; open != !strings.HasPrefix(path, "/api/") {
				t.Errorf("%s: open to all is %t", path, open)
			}
		}
	}
	sort.Strings(registered)
	sort.Strings(listed)
	if !slices.Equal(registered, listed) {
		t.Errorf("docs/openapi.yaml lists\n%s\nregistered are\n%s", strings.Join(listed, "\n"), strings.Join(registered, "\n"))
	}
}

func (d *description) parameters(op operation) []parameter {
	var list []parameter
	for _, p := range op.Parameters {
		if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
			p = d.Parts.Parameters[name]
		}
		list = append(list, p)
	}
	return list
}

func TestTheDescriptionListsTheParameters(t *testing.T) {
	t.Parallel()
	d, _ := readDescription(t)
	for path, want := range map[string][]string{
		"/api/v1/documents":                             append(DocumentParams(), "format"),
		"/api/v1/transmissions":                         TransmissionParams(),
		"/api/v1/events":                                {"after", "limit"},
		"/api/v1/events/stream":                         {"after", "Last-Event-ID"},
		"/api/v1/summary":                               {"since"},
		"/api/v1/dead-letters":                          {"limit"},
		"/api/v1/transmissions/{id}/wire":               {"form"},
		"/api/v1/transmissions/{id}/receipts/{receipt}": {"form"},
	} {
		var got []string
		for _, p := range d.parameters(d.Paths[path]["get"]) {
			if p.In != "path" {
				got = append(got, p.Name)
			}
		}
		sort.Strings(got)
		sort.Strings(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s describes the parameters %v, it reads %v", path, got, want)
		}
	}
}

func TestTheDescriptionHasTheFieldsOfTheAnswers(t *testing.T) {
	t.Parallel()
	d, text := readDescription(t)
	for name, v := range map[string]any{
		"Document": tracking.Document{}, "DocumentRow": tracking.DocumentRow{}, "DocumentPage": tracking.DocumentPage{}, "DocumentView": tracking.DocumentView{},
		"Transmission": tracking.Transmission{}, "TransmissionPage": tracking.TransmissionPage{}, "TransmissionView": tracking.TransmissionView{},
		"Interchange": tracking.Interchange{}, "Group": tracking.Group{}, "Receipt": tracking.Receipt{}, "Acknowledgement": tracking.Acknowledgement{},
		"Issue": tracking.Issue{}, "Event": tracking.Event{}, "Evidence": tracking.Evidence{}, "Certificate": tracking.Certificate{},
		"Payload": tracking.Payload{}, "Attachment": tracking.Attachment{}, "Key": tracking.Key{}, "Identifier": tracking.Identifier{}, "HeaderField": tracking.HeaderField{},
		"Summary": tracking.Summary{}, "HourCount": tracking.HourCount{}, "PartnerCount": tracking.PartnerCount{},
		"Lane": queue.Lane{}, "Job": queue.Job{}, "Run": processes.RunView{}, "StepRecord": processes.StepRecord{}, "Check": Check{}, "Problem": problem.Details{},
	} {
		want := fields(reflect.TypeOf(v))
		var got []string
		for p := range d.Parts.Schemas[name].Properties {
			got = append(got, p)
		}
		sort.Strings(want)
		sort.Strings(got)
		if !slices.Equal(got, want) {
			t.Errorf("schema %s has the fields\n%v, the Go type has\n%v", name, got, want)
		}
		if !strings.Contains(text, "'#/components/schemas/"+name+"'") {
			t.Errorf("nothing refers to the schema %s", name)
		}
	}
	for name, want := range map[string][]string{"DocumentState": documentStates(), "TransmissionState": transmissionStates()} {
		if got := d.Parts.Schemas[name].Enum; !slices.Equal(got, want) {
			t.Errorf("schema %s lists %v, known are %v", name, got, want)
		}
	}
}

// fields lists the JSON names of a struct, embedded ones included.
func fields(t reflect.Type) []string {
	var list []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			list = append(list, fields(f.Type)...)
		case name != "-":
			list = append(list, name)
		}
	}
	return list
}
