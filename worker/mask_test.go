package worker

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestASecretIsHiddenWhereverItStands(t *testing.T) {
	for name, tc := range map[string]struct {
		secrets    []string
		text, want string
	}{
		"alone":                     {[]string{"hunter22"}, "hunter22", "***"},
		"in a sentence, twice":      {[]string{"hunter22"}, "no hunter22, or hunter22!", "no ***, or ***!"},
		"beside itself":             {[]string{"hunter22"}, "hunter22hunter22", "******"},
		"only begun":                {[]string{"hunter22"}, "hunter2", "hunter2"},
		"begun, then all of it":     {[]string{"hunter22"}, "hunhunter22", "hun***"},
		"one that begins another":   {[]string{"hunt", "hunter22"}, "hunter22 hunter hunt", "*** ***er ***"},
		"two that overlap":          {[]string{"abcdef", "defghi"}, "abcdefghi", "***"},
		"one inside another":        {[]string{"hunter22", "nter"}, "hunter22 enter", "*** e***"},
		"short ones stay":           {[]string{"abc", "1"}, "abc 1", "abc 1"},
		"several lines":             {[]string{"first line\nsecond line"}, "first line\nsecond line", "***"},
		"a line of several":         {[]string{"first line\r\nsecond line\n"}, "> first line\n> second line", "> ***\n> ***"},
		"a short line of several":   {[]string{"first line\nend"}, "the end", "the end"},
		"without its last newline":  {[]string{"hunter2\n"}, "no hunter2, or hunter2\n!", "no ***, or ***!"},
		"without the space around":  {[]string{"\t hunter2 "}, "no hunter2!", "no ***!"},
		"nothing but space":         {[]string{"\n\n\n"}, "a\n\n\nb", "a\n\n\nb"},
		"what is no text":           {[]string{"\xff\xfe\xfd\xfc"}, "a\xff\xfe\xfd\xfcb", "a***b"},
		"nothing to hide":           {nil, "hunter22", "hunter22"},
		"one that repeats a letter": {[]string{"aaaa"}, "aaaaaa", "***"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tc.want, newMask(tc.secrets).text(tc.text)) })
	}
}

func TestHowAStreamIsCutIntoWritesMakesNoDifferenceAndNoByteOfASecretIsShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secrets := rapid.SliceOfN(rapid.StringMatching(`[ab]{4,8}`), 1, 3).Draw(t, "secrets")
		text := rapid.StringMatching(`[abc]{0,40}`).Draw(t, "text")
		m := newMask(secrets)
		c := cover{mask: m}
		var shown []byte
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "write")
			shown = append(shown, c.next([]byte(rest[:n]))...)
			rest = rest[n:]
		}
		shown = append(shown, c.rest()...)
		require.Equal(t, m.text(text), string(shown))

		hidden := make([]bool, len(text)) // by the definition: every byte of every occurrence
		for _, secret := range secrets {
			for at := 0; at+len(secret) <= len(text); at++ {
				if text[at:at+len(secret)] == secret {
					for i := range secret {
						hidden[at+i] = true
					}
				}
			}
		}
		var open []byte
		for i := range text {
			if !hidden[i] {
				open = append(open, text[i])
			}
		}
		require.Equal(t, string(open), strings.ReplaceAll(string(shown), "*", ""))
	})
}

func TestWhatCannotBeASecretIsShownAtOnce(t *testing.T) {
	c := cover{mask: newMask([]string{"hunter22"})}
	require.Equal(t, "Password: ", string(c.next([]byte("Password: "))))
	require.Empty(t, c.next([]byte("hunt")))
	require.Equal(t, "hunting", string(c.next([]byte("ing"))))
	require.Empty(t, c.rest())
}

func BenchmarkMask(b *testing.B) {
	m := newMask([]string{"correct horse battery staple"})
	text := bytes.Repeat([]byte("2026-11-21 10:36:17 read 17 files of the corpus\n"), 700)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		c := cover{mask: m}
		c.next(slices.Clone(text))
	}
}
