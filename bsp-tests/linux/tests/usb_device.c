/* SPDX-License-Identifier: Apache-2.0 */
/* Enumerates a USB disk, and moves blocks by its bulk-only transport (USB Mass Storage Class, Bulk-Only Transport 1.0). */
#include "session.h"
#include "usb_device.h"

#define PORT            1
#define ADDRESS         1
#define TIMEOUT         20000   /* ms */
#define COMMAND_MAGIC   0x43425355
#define STATUS_MAGIC    0x53425355
#define DESCRIPTOR_SIZE 256

struct bulk_command
{
    __le32 magic, tag, length;
    u8 flags, lun, command_length, command[16];
} __packed;

struct bulk_status
{
    __le32 magic, tag, residue;
    u8 status;
} __packed;

/* Of different sizes. Each but the last is a multiple of a packet. */
const unsigned int usb_disk_sizes[DISK_PIECES] = { 512, 4096, 12800, 30720, 17408 };

/* ---- requests ---- */

static void completed(struct urb *urb)
{
    complete(urb->context);
}

static int submit(struct urb *urb)
{
    DECLARE_COMPLETION_ONSTACK(done);
    int error;

    urb->context = &done;
    urb->complete = completed;
    INIT_LIST_HEAD(&urb->urb_list);
    error = usb_submit_urb(urb, GFP_KERNEL);
    if (error)
    {
        return error;
    }
    if (!wait_for_completion_timeout(&done, TIMEOUT))
    {
        struct usb_hcd *hcd = bus_to_hcd(urb->dev->bus);

        hcd->driver->urb_dequeue(hcd, urb, -ETIMEDOUT);
        wait_for_completion(&done);
    }
    return urb->status;
}

static int control(struct usb_disk *disk, u8 type, u8 request, u16 value, u16 length)
{
    struct urb urb = { .dev = &disk->dev, .ep = &disk->dev.ep0, .setup_packet = (void *)disk->setup,
                       .transfer_buffer = disk->descriptor, .transfer_buffer_length = length };

    *disk->setup = (struct usb_ctrlrequest) { type, request, cpu_to_le16(value), 0, cpu_to_le16(length) };
    urb.pipe = least_pipe(PIPE_CONTROL, &disk->dev, 0, type & USB_DIR_IN);
    return submit(&urb);
}

static int bulk(struct usb_disk *disk, bool in, void *buffer, unsigned int size)
{
    struct usb_host_endpoint *ep = in ? &disk->in : &disk->out;
    struct urb urb = { .dev = &disk->dev, .ep = ep, .transfer_buffer = buffer, .transfer_buffer_length = size };

    urb.pipe = least_pipe(PIPE_BULK, &disk->dev, usb_endpoint_num(&ep->desc), in);
    return submit(&urb);
}

static int bulk_pieces(struct usb_disk *disk, bool in)
{
    struct usb_host_endpoint *ep = in ? &disk->in : &disk->out;
    struct scatterlist list[DISK_PIECES];
    struct urb urb = { .dev = &disk->dev, .ep = ep, .transfer_buffer_length = DISK_CHUNK, .sg = list,
                       .num_sgs = DISK_PIECES };

    sg_init_table(list, DISK_PIECES);
    for (unsigned int i = 0; i < DISK_PIECES; i++)
    {
        sg_set_buf(&list[i], disk->pieces[i], usb_disk_sizes[i]);
    }
    urb.pipe = least_pipe(PIPE_BULK, &disk->dev, usb_endpoint_num(&ep->desc), in);
    return submit(&urb);
}

/* ---- commands of the disk ---- */

/* Sends a command of SCSI, moves size bytes or all pieces, and reads the status. */
static int scsi(struct usb_disk *disk, const u8 *command, u8 length, bool in, void *buffer, unsigned int size)
{
    int error;

    *disk->command = (struct bulk_command) { cpu_to_le32(COMMAND_MAGIC), cpu_to_le32(++disk->tag), cpu_to_le32(size),
                                             in ? USB_DIR_IN : 0, 0, length, { 0 } };
    memcpy(disk->command->command, command, length);
    error = bulk(disk, false, disk->command, sizeof(*disk->command));
    if (!error && size)
    {
        error = buffer ? bulk(disk, in, buffer, size) : bulk_pieces(disk, in);
    }
    if (!error)
    {
        error = bulk(disk, true, disk->status, sizeof(*disk->status));
    }
    if (error)
    {
        return error;
    }
    if (le32_to_cpu(disk->status->magic) != STATUS_MAGIC || le32_to_cpu(disk->status->tag) != disk->tag)
    {
        return -EBADMSG;
    }
    return disk->status->status || disk->status->residue ? -EIO : 0;
}

int usb_disk_move(struct usb_disk *disk, u32 block, bool write)
{
    u8 command[10] = { write ? 0x2a : 0x28 };

    put_unaligned_be32(block, command + 2);
    put_unaligned_be16(DISK_CHUNK / DISK_BLOCK, command + 7);
    return scsi(disk, command, sizeof(command), !write, NULL, DISK_CHUNK);
}

static int read_capacity(struct usb_disk *disk)
{
    static const u8 test_unit_ready[6], command[10] = { 0x25 };
    int error = -EIO;

    /* The first command after a reset fails: the unit reports the reset. */
    for (int i = 0; i < 3 && error == -EIO; i++)
    {
        error = scsi(disk, test_unit_ready, sizeof(test_unit_ready), false, NULL, 0);
    }
    error = error ? error : scsi(disk, command, sizeof(command), true, disk->descriptor, 8);
    disk->blocks = error ? 0 : get_unaligned_be32(disk->descriptor) + 1;
    return error;
}

/* ---- the port, and the device's descriptors ---- */

static int port_status(struct usb_hcd *hcd)
{
    u8 status[4];
    int error = hcd->driver->hub_control(hcd, GetPortStatus, 0, PORT, (char *)status, sizeof(status));

    return error ? error : get_unaligned_le16(status);
}

static const char *reset_port(struct usb_hcd *hcd)
{
    int status = 0;

    hcd->driver->hub_control(hcd, SetPortFeature, USB_PORT_FEAT_POWER, PORT, NULL, 0);
    for (int i = 0; i < 100 && !(status & USB_PORT_STAT_CONNECTION); i++)
    {
        msleep(5);
        status = port_status(hcd);
    }
    if (!(status & USB_PORT_STAT_CONNECTION))
    {
        return "no device at the port";
    }
    hcd->driver->hub_control(hcd, SetPortFeature, USB_PORT_FEAT_RESET, PORT, NULL, 0);
    for (int i = 0; i < 100; i++)
    {
        msleep(10);
        status = port_status(hcd);
        if (!(status & USB_PORT_STAT_RESET))
        {
            break;
        }
    }
    if (!(status & USB_PORT_STAT_ENABLE) || !(status & USB_PORT_STAT_HIGH_SPEED))
    {
        return reason("the port has status 0x%x after a reset", (unsigned int)status);
    }
    return NULL;
}

static void find_endpoints(struct usb_disk *disk, unsigned int size)
{
    for (unsigned int at = 0; at + 2 <= size && disk->descriptor[at]; at += disk->descriptor[at])
    {
        struct usb_endpoint_descriptor *desc = (void *)(disk->descriptor + at);

        if (desc->bDescriptorType == USB_DT_ENDPOINT)
        {
            struct usb_host_endpoint *ep = desc->bEndpointAddress & USB_DIR_IN ? &disk->in : &disk->out;

            memcpy(&ep->desc, desc, USB_DT_ENDPOINT_SIZE);
        }
    }
    disk->dev.ep_in[usb_endpoint_num(&disk->in.desc)] = &disk->in;
    disk->dev.ep_out[usb_endpoint_num(&disk->out.desc)] = &disk->out;
}

static int enumerate(struct usb_disk *disk, struct usb_hcd *hcd)
{
    u16 size;
    int error = control(disk, USB_DIR_OUT, USB_REQ_SET_ADDRESS, ADDRESS, 0);

    if (error)
    {
        return error;
    }
    msleep(2);
    /* The queue of endpoint 0 has the old address. */
    hcd->driver->endpoint_disable(hcd, &disk->dev.ep0);
    disk->dev.devnum = ADDRESS;
    error = control(disk, USB_DIR_IN, USB_REQ_GET_DESCRIPTOR, USB_DT_CONFIG << 8, USB_DT_CONFIG_SIZE);
    if (error)
    {
        return error;
    }
    size = le16_to_cpu(((struct usb_config_descriptor *)disk->descriptor)->wTotalLength);
    error = size > DESCRIPTOR_SIZE ? -EFBIG : control(disk, USB_DIR_IN, USB_REQ_GET_DESCRIPTOR, USB_DT_CONFIG << 8, size);
    if (error)
    {
        return error;
    }
    find_endpoints(disk, size);
    return control(disk, USB_DIR_OUT, USB_REQ_SET_CONFIGURATION,
            ((struct usb_config_descriptor *)disk->descriptor)->bConfigurationValue, 0);
}

static bool allocate(struct usb_disk *disk)
{
    bool complete = true;

    disk->setup = kmalloc(sizeof(*disk->setup), GFP_KERNEL);
    disk->command = kmalloc(sizeof(*disk->command), GFP_KERNEL);
    disk->status = kmalloc(sizeof(*disk->status), GFP_KERNEL);
    disk->descriptor = kmalloc(DESCRIPTOR_SIZE, GFP_KERNEL);
    for (unsigned int i = 0; i < DISK_PIECES; i++)
    {
        disk->pieces[i] = kmalloc(usb_disk_sizes[i], GFP_KERNEL);
        complete = complete && disk->pieces[i];
    }
    return complete && disk->setup && disk->command && disk->status && disk->descriptor;
}

const char *usb_disk_open(struct usb_disk *disk, struct usb_hcd *hcd)
{
    const char *wrong;
    int error;

    memset(disk, 0, sizeof(*disk));
    if (!allocate(disk))
    {
        return "no memory";
    }
    disk->dev.bus = &hcd->self;
    disk->dev.speed = USB_SPEED_HIGH;
    disk->dev.ep_in[0] = disk->dev.ep_out[0] = &disk->dev.ep0;
    disk->dev.ep0.desc = (struct usb_endpoint_descriptor) { .wMaxPacketSize = cpu_to_le16(64) };
    INIT_LIST_HEAD(&disk->dev.ep0.urb_list);
    INIT_LIST_HEAD(&disk->in.urb_list);
    INIT_LIST_HEAD(&disk->out.urb_list);
    wrong = reset_port(hcd);
    if (wrong)
    {
        return wrong;
    }
    error = enumerate(disk, hcd);
    if (error)
    {
        return reason("enumeration: %d", error);
    }
    error = read_capacity(disk);
    return error ? reason("capacity: %d", error) : NULL;
}

void usb_disk_close(struct usb_disk *disk)
{
    struct usb_hcd *hcd = disk->dev.bus ? bus_to_hcd(disk->dev.bus) : NULL;

    if (hcd)
    {
        hcd->driver->endpoint_disable(hcd, &disk->in);
        hcd->driver->endpoint_disable(hcd, &disk->out);
        hcd->driver->endpoint_disable(hcd, &disk->dev.ep0);
    }
    kfree(disk->setup);
    kfree(disk->command);
    kfree(disk->status);
    kfree(disk->descriptor);
    for (unsigned int i = 0; i < DISK_PIECES; i++)
    {
        kfree(disk->pieces[i]);
    }
}
