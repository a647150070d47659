package api_test

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/wire"
)

// operation is an address of the API, as its description has it.
type operation struct {
	method, path string
	Role         string          `json:"x-deed-role"`
	All          bool            `json:"x-deed-all-processes"`
	Security     json.RawMessage `json:"security"`
	Parameters   []struct {
		Name string `json:"name"`
		In   string `json:"in"`
	} `json:"parameters"`
}

func (o operation) String() string { return o.method + " " + o.path }

// needs is how the page on security says it.
func (o operation) needs() string {
	switch {
	case o.Role == "":
		return "no token"
	case o.All:
		return o.Role + ", of all processes"
	}
	return o.Role
}

// at is the address with its variables filled in.
func (o operation) at(values map[string]string) string {
	return regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllStringFunc(o.path, func(name string) string {
		if value, ok := values[strings.Trim(name, "{}")]; ok {
			return value
		}
		return "1"
	})
}

// operations are all that the description has.
func (r *rig) operations() []operation {
	r.Helper()
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	r.ask(http.StatusOK, &document, http.MethodGet, "/v1/openapi.json", nil)
	var all []operation
	for path, methods := range document.Paths {
		for method, described := range methods {
			o := operation{method: strings.ToUpper(method), path: path}
			require.NoError(r, json.Unmarshal(described, &o))
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	require.Greater(r, len(all), 40)
	return all
}

func TestThePageOnSecuritySaysWhichRoleEachAddressNeeds(t *testing.T) {
	page, err := os.ReadFile("../docs/security.md")
	require.NoError(t, err)
	var told, are []string
	for _, line := range regexp.MustCompile("(?m)^\\| `([A-Z]+ /[^`]*)` \\| ([^|]+) \\|$").FindAllStringSubmatch(string(page), -1) {
		told = append(told, line[1]+": "+strings.TrimSpace(line[2]))
	}
	for _, o := range guarded(t, inMemory(t, nil).runtime, invited()).as("viewer").operations() {
		are = append(are, o.String()+": "+o.needs())
		if o.Role == "" {
			require.JSONEq(t, `[{}]`, string(o.Security), o)
		} else {
			require.JSONEq(t, `[{"token": []}]`, string(o.Security), o)
		}
	}
	slices.Sort(told)
	slices.Sort(are)
	require.Equal(t, are, told)
}

func TestEveryTestThatThePageOnSecurityNamesIsThere(t *testing.T) {
	page, err := os.ReadFile("../docs/security.md")
	require.NoError(t, err)
	there := map[string]bool{}
	err = filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, name := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(source, -1) {
			there[string(name[1])] = true
		}
		return err
	})
	require.NoError(t, err)
	named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(string(page), -1)
	require.Greater(t, len(named), 40)
	for _, name := range named {
		require.True(t, there[name[1]], "nothing is called %s", name[1])
	}
}

func TestWithoutATokenOrWithAnotherNothingIsAnsweredButProbes(t *testing.T) {
	r := guarded(t, inMemory(t, nil).runtime, invited())
	for _, o := range r.as("viewer").operations() {
		for _, shown := range []string{"", "wrong"} {
			r := r.on(t)
			r.token = shown
			a := r.do(o.method, o.at(nil), nil)
			if o.Role == "" {
				require.NotEqual(t, http.StatusUnauthorized, a.status, o)
				continue
			}
			require.Equal(t, http.StatusUnauthorized, a.status, "%s with the token %q: %s", o, shown, a.body)
			require.Contains(t, a.header.Get("WWW-Authenticate"), "Bearer")
		}
	}
	r.refused(http.StatusUnauthorized, wire.CodeUnauthorized, http.MethodGet, "/v1/nothing", nil) // nor is it said what there is
}

func TestEveryAddressRefusesARoleThatIsNotEnough(t *testing.T) {
	t.Parallel()
	r := guarded(t, inMemory(t, nil).runtime, invited())
	refused := 0
	for _, o := range r.as("viewer").operations() {
		for i, role := range []string{"viewer", "operator", "admin"} {
			enough := i >= slices.Index([]string{"viewer", "operator", "admin"}, o.Role)
			if enough && o.method != http.MethodGet || o.path == "/v1/feed" {
				continue // that it is carried out others show
			}
			a := r.as(role).do(o.method, o.at(map[string]string{"stream": "process-1"}), nil)
			if enough {
				require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, a.status, "%s as %s: %s", o, role, a.body)
				continue
			}
			refused++
			require.Equal(t, http.StatusForbidden, a.status, "%s as %s: %s", o, role, a.body)
			var p wire.Problem
			require.NoError(t, json.Unmarshal(a.body, &p))
			require.Equal(t, wire.CodeForbidden, p.Code)
			require.Contains(t, p.Detail, "role "+o.Role, o)
			require.Contains(t, p.Detail, "the-"+role+" has the role "+role, o)
		}
		if o.All {
			refused++
			p := r.as("ours-admin").refused(http.StatusForbidden, wire.CodeForbidden, o.method, o.at(nil), nil)
			require.Contains(t, p.Detail, "ours-*")
		}
	}
	require.Greater(t, refused, 30)
}
