package api_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// fileRef refers to a file where it lies.
func fileRef(t *testing.T, name, text string) *task.Ref {
	t.Helper()
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	sum := sha256.Sum256([]byte(text))
	return &task.Ref{URL: "file://" + name, Size: int64(len(text)), SHA256: hex.EncodeToString(sum[:])}
}

func TestWhatIsSubmittedReadsElsewhereOnlyWhereTheServerWasTold(t *testing.T) {
	open, closed := t.TempDir(), t.TempDir()
	r := serve(t, deed.Options{Read: []string{"file://" + open}})
	good := fileRef(t, filepath.Join(open, "a"), "in the open")
	bad := fileRef(t, filepath.Join(closed, "a"), "hidden")
	climbing := *bad
	climbing.URL = "file://" + open + "/../" + filepath.Base(closed) + "/a"
	both := *good
	both.Key = "sha256/aa"
	definition := "deed: v1\nname: copy\ninputs: [x]\nsteps:\n  copy: {sh: 'cp \"$DEED_IN/x\" \"$DEED_OUT/y\"', each: x, out: [y]}\noutputs: [y]\n"
	submit := func(ref *task.Ref) wire.Submit {
		return wire.Submit{ID: "p", Definition: definition, Inputs: map[string]wire.Input{"x": {Parts: []task.Part{{Name: "a", Ref: ref}}}}}
	}
	for what, ref := range map[string]*task.Ref{"not allowed": bad, "climbing": &climbing, "both": &both} {
		p := r.refused(http.StatusUnprocessableEntity, wire.CodeInput, http.MethodPost, "/v1/processes", submit(ref))
		require.NotEmpty(t, p.Detail, what)
	}
	require.Contains(t, r.refused(http.StatusUnprocessableEntity, wire.CodeInput, http.MethodPost, "/v1/processes", submit(bad)).Detail, "may not be read here")
	r.ask(http.StatusCreated, nil, http.MethodPost, "/v1/processes", submit(good))

	def := definitionOf(t, r, "p")
	command, err := process.EncodeCommand(process.StartProcess{ID: "q", Definition: def, Inputs: map[string]task.Dataset{"x": task.Inline([]task.Part{{Ref: bad}})}})
	require.NoError(t, err)
	p := r.refused(http.StatusUnprocessableEntity, wire.CodeInput, http.MethodPost, "/v1/processes/q/commands", string(command))
	require.Contains(t, p.Detail, "may not be read here")

	a := r.do(http.MethodGet, "/v1/processes/p/outputs/x/0", nil, "Range", "bytes=0-1")
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	require.Equal(t, "in the open", string(a.body), "a whole, and no range of it")
	require.NoError(t, os.WriteFile(filepath.Join(open, "a"), []byte("since then!"), 0o600))
	p = r.refused(http.StatusInternalServerError, wire.CodeCorrupt, http.MethodGet, "/v1/processes/p/outputs/x/0", nil)
	require.Contains(t, p.Detail, "changed since it was submitted")
}
