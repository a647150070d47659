package metrics_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/deedrun/deed/internal/metrics"
)

const (
	prometheusFiles = "../../deploy/prometheus"
	dashboardFile   = "../../deploy/grafana/deed.json"
)

// selector is a metric in a query, with what is said of its labels.
var (
	selector = regexp.MustCompile(`(^|[^a-z0-9_:])(deed_[a-z0-9_]+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`([a-z_]+)\s*[=!]`)
)

// faults says which metrics or labels of a text there are not.
func faults(text string) (all []string) {
	labels := map[string][]string{}
	for _, m := range metrics.Catalogue {
		names := []string{m.Name}
		if m.Kind == "histogram" {
			names = []string{m.Name + "_bucket", m.Name + "_sum", m.Name + "_count"}
		}
		for _, name := range names {
			labels[name] = append([]string{"cluster", "instance", "job", "le"}, m.Labels...)
		}
	}
	for _, found := range selector.FindAllStringSubmatch(text, -1) {
		known, ok := labels[found[2]]
		if !ok {
			all = append(all, found[2]+" is no metric")
			continue
		}
		for _, l := range matcher.FindAllStringSubmatch(found[3], -1) {
			if !slices.Contains(known, l[1]) {
				all = append(all, fmt.Sprintf("%s has no label %s", found[2], l[1]))
			}
		}
	}
	return all
}

func TestRulesAndTheirTestsAskForMetricsAndLabelsThatThereAre(t *testing.T) {
	for _, name := range []string{"rules.yml", "rules_test.yml"} {
		text, err := os.ReadFile(filepath.Join(prometheusFiles, name))
		require.NoError(t, err)
		require.Empty(t, faults(string(text)), name)
	}
	require.Equal(t, []string{"deed_proceses is no metric", "deed_processes has no label state"},
		faults(`sum(deed_proceses) / deed_processes{state="running"}`), "what there is not is found")
}

type ruleFile struct {
	Groups []struct {
		Rules []struct {
			Record, Alert, Expr string
			Labels, Annotations map[string]string
		}
	}
}

func rules(t *testing.T) (r ruleFile) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(prometheusFiles, "rules.yml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &r))
	return r
}

func TestEveryAlertSaysWhatHappenedAndWhichCommandToRunAndIsTested(t *testing.T) {
	tests, err := os.ReadFile(filepath.Join(prometheusFiles, "rules_test.yml"))
	require.NoError(t, err)
	alerts := 0
	for _, g := range rules(t).Groups {
		for _, r := range g.Rules {
			if r.Alert == "" {
				continue
			}
			alerts++
			require.Contains(t, []string{"critical", "warning", "info"}, r.Labels["severity"], r.Alert)
			require.NotEmpty(t, r.Annotations["summary"], r.Alert)
			require.NotEmpty(t, r.Annotations["description"], r.Alert)
			require.Contains(t, r.Annotations["runbook"], "`deed ", r.Alert)
			fires := fmt.Sprintf(`exp_samples: [{labels: '{alertname=%q}', value: 1}]`, r.Alert)
			require.Contains(t, string(tests), fires, "a test in which %s fires", r.Alert)
		}
	}
	require.Greater(t, alerts, 20)
}

func TestPromtoolTakesConfigurationRulesAndTheirTests(t *testing.T) {
	path := promtool(t)
	for _, args := range [][]string{
		{"check", "config", "--syntax-only", "prometheus.yml"},
		{"check", "config", "local.yml"},
		{"check", "rules", "rules.yml"},
		{"test", "rules", "rules_test.yml"},
	} {
		cmd := exec.CommandContext(t.Context(), path, args...)
		cmd.Dir = prometheusFiles
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "promtool %s\n%s", strings.Join(args, " "), out)
	}
}

func TestPromtoolFindsNothingWrongWithAScrape(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), promtool(t), "check", "metrics")
	cmd.Stdin = strings.NewReader(scrape(t, all(t)))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Empty(t, string(out))
}

func promtool(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (Debian: apt-get install prometheus): names and rules are checked without it, the tests of rules are not run")
	}
	return path
}

type panel struct {
	ID          int
	Type, Title string
	Description string
	GridPos     struct{ H, W, X, Y int }
	Targets     []struct {
		RefID string `json:"refId"`
		Expr  string
	}
}

func TestEveryPanelOfTheDashboardAsksForMetricsThatThereAreAndHasAPlace(t *testing.T) {
	text, err := os.ReadFile(dashboardFile)
	require.NoError(t, err)
	var d struct {
		UID, Title    string
		SchemaVersion int
		Panels        []panel
	}
	require.NoError(t, json.Unmarshal(text, &d))
	require.Equal(t, "deed", d.UID)
	require.NotZero(t, d.SchemaVersion)
	ids, taken := map[int]bool{}, map[[2]int]string{}
	queries := 0
	for _, p := range d.Panels {
		require.False(t, ids[p.ID], "%s: the id %d is taken", p.Title, p.ID)
		ids[p.ID] = true
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				require.Empty(t, taken[at], "%s lies over another", p.Title)
				taken[at] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		require.NotEmpty(t, p.Targets, p.Title)
		require.NotEmpty(t, p.Description, "%s: what does it show?", p.Title)
		for _, q := range p.Targets {
			queries++
			require.Empty(t, faults(q.Expr), p.Title)
			require.Equal(t, strings.Count(q.Expr, "("), strings.Count(q.Expr, ")"), q.Expr)
		}
	}
	require.Greater(t, queries, 50)
	require.Empty(t, faults(string(text)), "also in variables and annotations")
}

func TestPromtoolCanReadEveryQueryOfTheDashboard(t *testing.T) {
	path := promtool(t)
	text, err := os.ReadFile(dashboardFile)
	require.NoError(t, err)
	var d struct{ Panels []panel }
	require.NoError(t, json.Unmarshal(text, &d))
	var f struct {
		Groups []any `yaml:"groups"`
	}
	var all []any
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "5m", "$cluster", ".*", "$pool", ".*").Replace(q.Expr)
			all = append(all, map[string]any{"record": fmt.Sprintf("panel:%d_%s", p.ID, strings.ToLower(q.RefID)), "expr": expr})
		}
	}
	f.Groups = []any{map[string]any{"name": "dashboard", "rules": all}}
	asRules, err := yaml.Marshal(f)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "dashboard.yml")
	require.NoError(t, os.WriteFile(file, asRules, 0o600))
	out, err := exec.CommandContext(t.Context(), path, "check", "rules", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
