package cloud_test

import (
	"strings"
	"testing"

	"github.com/deedrun/deed/internal/cloudtest"
	"github.com/stretchr/testify/require"
)

func TestABucketIsSharedByPrefix(t *testing.T) {
	t.Parallel()
	everyCloud(t, func(t *testing.T, server *cloudtest.Server) {
		bucket := server.Bucket(t)
		at := func(prefix string) string {
			url := server.URL(bucket)
			if strings.Contains(url, "?") {
				return url + "&prefix=" + prefix
			}
			return url + "?prefix=" + prefix
		}
		a, b := open(t, at("a/")), open(t, at("b/"))
		for name, size := range map[string]int64{"small": 10, "large": 20 << 20} {
			ref, err := put(t, a, name, data(size))
			require.NoError(t, err)
			require.Equal(t, ref.SHA256, digest(t, a, ref))
			there, err := server.Raw(t, bucket).Exists(t.Context(), "a/"+name)
			require.NoError(t, err)
			require.True(t, there)
			_, err = put(t, b, name, data(size))
			require.NoError(t, err)
		}
		names, err := a.Names(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, []string{"large", "small"}, names)
	})
}
