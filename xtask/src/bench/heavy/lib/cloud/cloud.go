// Package cloud needs one of the largest packages that there are: no compile takes more memory.
package cloud

import "github.com/aws/aws-sdk-go-v2/service/ec2"

// New makes a client.
var New = ec2.NewFromConfig
