package cloud_test

import _ "github.com/deedrun/deed/blob/cloud"
